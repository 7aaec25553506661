/** How a step is run: retries, limits, resources, results that serve again. Defaults are not written. */
import { withField } from './items';
import type {
  JSONValue,
  Resources,
  Retries,
  RetryReason,
  Step,
  StepKind
} from './types';
import { isObject, textsOf } from './types';

const DURATION = /^\d{1,9}(\.\d{1,3})?(ms|s|m|h|d)$/;
const SIZE = /^\d{1,9}(\.\d{1,3})?(KiB|MiB|GiB|TiB|KB|MB|GB|TB)$/;

/** The reasons of a failure after which a step may be started again. */
export const RETRY_REASONS: readonly RetryReason[] = [
  'error',
  'timeout',
  'memory',
  'kernel-died',
  'check'
];

/** What a step of a kind can say of how it is run: as `core/workflow.py` has it. */
const FIELDS: { [kind in StepKind]: readonly string[] } = {
  notebook: [
    'retries',
    'allow_failure',
    'timeout',
    'cache',
    'files',
    'resources',
    'environment'
  ],
  workflow: ['retries', 'allow_failure'],
  person: ['allow_failure'],
  label: ['allow_failure']
};

/** Whether a step of a kind can have a field. */
export function hasField(kind: StepKind, field: string): boolean {
  return FIELDS[kind].includes(field);
}

// The same as those of the models in `core/workflow.py`.
const RETRIES: Omit<Retries, 'count'> = { delay: '0s', backoff: 1 };
const RESOURCES: Resources = { cpus: 1, memory: null, gpus: 0 };

/** Why a text is no duration, in words; null if it is one, or empty. */
export function complainDuration(text: string): string | null {
  return !text || DURATION.test(text)
    ? null
    : 'This is not a duration, such as 30s, 1.5m, 2h or 7d.';
}

/** Why a text is no size, in words; null if it is one, or empty. */
export function complainSize(text: string): string | null {
  return !text || SIZE.test(text)
    ? null
    : 'This is not a size, such as 512MiB or 4GiB.';
}

/** Retries with one field changed; undefined if there are none. */
export function withRetries(
  retries: Retries | null | undefined,
  field: string,
  value: JSONValue | undefined
): Retries | undefined {
  return field === 'count' && !value
    ? undefined
    : (without(RETRIES, { ...retries, [field]: value }) as Retries);
}

/** The reasons after which retries happen. */
export function reasonsOf(retries: Retries): readonly string[] {
  return retries.on === undefined ? RETRY_REASONS : textsOf(retries.on);
}

/** Retries after some reasons only; after all of them is what is not written. */
export function withReason(
  retries: Retries,
  reason: RetryReason,
  isOn: boolean
): Retries {
  const on = reasonsOf(retries);
  const wanted = RETRY_REASONS.filter(each =>
    each === reason ? isOn : on.includes(each)
  );
  const isAll = wanted.length === RETRY_REASONS.length;
  return withField(retries, 'on', isAll ? undefined : wanted);
}

/** Resources with one field changed; undefined if all are the defaults. */
export function withResources(
  resources: Resources | undefined,
  field: string,
  value: JSONValue | undefined
): Resources | undefined {
  const left = without(RESOURCES, { ...resources, [field]: value });
  return Object.keys(left).length ? left : undefined;
}

/** A step's own field, as the document has it: what is a default is not written. */
export function withoutDefault(field: string, value: unknown): unknown {
  const isDefault =
    (field === 'cache' && value === true) ||
    (field === 'allow_failure' && value === false) ||
    (Array.isArray(value) && value.length === 0) ||
    (field === 'environment' && isObject(value) && !Object.keys(value).length);
  return isDefault ? undefined : value;
}

/** Whether a step says anything of how it is run. */
export function hasPolicy(step: Step): boolean {
  const fields = FIELDS.notebook as readonly (keyof Step)[];
  return fields.some(field => {
    const value = step[field];
    return value != null && withoutDefault(field, value) !== undefined;
  });
}

function without(
  defaults: object,
  given: { [field: string]: unknown }
): { [field: string]: unknown } {
  const known = defaults as { [field: string]: unknown };
  return Object.fromEntries(
    Object.entries(given).filter(
      ([field, value]) =>
        value !== undefined && value !== '' && value !== known[field]
    )
  );
}
