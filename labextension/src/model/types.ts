/** Types of the document and of what is known about it, generated from `openapi.yaml`. */
import type * as api from '../api/schema.gen';

export type {
  Inspection,
  NotebookInput,
  Expression,
  First,
  NotebookInterface,
  Problem,
  Reference,
  Value
} from '../api/schema.gen';

/** What is read and written may leave out whatever has a default. */
type Written<T, Required extends keyof T> = Pick<T, Required> & Partial<T>;

export type Retries = Written<api.Retries, 'count'>;

export type Resources = Partial<api.Resources>;

export type Person = Written<api.Person, 'message'>;

export type Label = Written<api.Label, 'items' | 'classes'>;

export type RetryReason = NonNullable<api.Retries['on']>[number];

/** What a step is: it has one of these keys. */
export type StepKind = 'notebook' | 'workflow' | 'person' | 'label';

export type Step = Partial<
  Omit<api.Step, 'retries' | 'resources' | 'person' | 'label'>
> & {
  person?: Person | null;
  label?: Label | null;
  retries?: Retries | null;
  resources?: Resources;
};

export type Parameter = Written<api.Parameter, 'type'>;

export type Note = Written<api.Note, 'text' | 'at'>;

export type Group = Partial<api.Group>;

export type Workflow = Written<
  Omit<api.Workflow, 'steps' | 'parameters' | 'groups' | 'notes'>,
  'name'
> & {
  steps?: { [name: string]: Step };
  parameters?: { [name: string]: Parameter };
  groups?: { [name: string]: Group };
  notes?: { [name: string]: Note };
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

/** The texts of a list; none of anything else, which a document may hold though it is wrong. */
export function textsOf(value: unknown): string[] {
  return Array.isArray(value)
    ? value.filter(each => typeof each === 'string')
    : [];
}

export function isReference(
  argument: Argument | undefined
): argument is api.Reference {
  return isObject(argument) && 'from' in argument;
}

export function isValue(argument: Argument | undefined): argument is api.Value {
  return isObject(argument) && !('from' in argument) && 'value' in argument;
}

export function isExpression(
  argument: Argument | undefined
): argument is api.Expression {
  return (
    isObject(argument) &&
    !('from' in argument || 'value' in argument) &&
    'expr' in argument
  );
}

export function isFirst(argument: Argument | undefined): argument is api.First {
  return (
    isObject(argument) &&
    !['from', 'value', 'expr'].some(key => key in argument) &&
    Array.isArray((argument as JSONObject).first)
  );
}

/** What a step is; null while it says nothing. */
export function stepKind(step: Step): StepKind | null {
  return (
    (['notebook', 'workflow', 'person', 'label'] as const).find(
      kind => step[kind] != null
    ) ?? null
  );
}

/** The notebook or the workflow that a step executes; empty if it executes none. */
export function stepPath(step: Step): string {
  return step.notebook ?? step.workflow ?? '';
}
