/** Types of the document and of what is known about it, generated from `openapi.yaml`. */
import type * as api from '../api/schema.gen';

export type {
  Inspection,
  NotebookInput,
  NotebookInterface,
  Problem,
  Reference,
  Value
} from '../api/schema.gen';

/** What is read and written may leave out whatever has a default. */
type Written<T, Required extends keyof T> = Pick<T, Required> & Partial<T>;

export type Retries = Written<api.Retries, 'count'>;

export type Resources = Partial<api.Resources>;

export type Step = Written<
  Omit<api.Step, 'retries' | 'resources'>,
  'notebook'
> & {
  retries?: Retries | null;
  resources?: Resources;
};

export type Parameter = Written<api.Parameter, 'type'>;

export type Workflow = Written<
  Omit<api.Workflow, 'steps' | 'parameters'>,
  'name'
> & {
  steps?: { [name: string]: Step };
  parameters?: { [name: string]: Parameter };
};

export type JSONValue =
  null | boolean | number | string | JSONValue[] | { [key: string]: JSONValue };

export type JSONObject = { [key: string]: JSONValue };

/** What a step's parameter may be. */
export type Argument = NonNullable<Step['parameters']>[string];

export type ParameterType = Parameter['type'];

export type Point = { x: number; y: number };

export function isObject(value: unknown): value is JSONObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isReference(
  argument: Argument | undefined
): argument is api.Reference {
  return isObject(argument) && 'from' in argument;
}

export function isValue(argument: Argument | undefined): argument is api.Value {
  return isObject(argument) && !('from' in argument) && 'value' in argument;
}
