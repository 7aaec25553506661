/** How a step is run: retries, limits, resources, results that serve again. Defaults are not written. */
import type { JSONValue, Resources, Retries, Step } from './types';

const DURATION = /^\d{1,9}(\.\d{1,3})?(ms|s|m|h|d)$/;
const SIZE = /^\d{1,9}(\.\d{1,3})?(KiB|MiB|GiB|TiB|KB|MB|GB|TB)$/;

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

/** Resources with one field changed; undefined if all are the defaults. */
export function withResources(
  resources: Resources | undefined,
  field: string,
  value: JSONValue | undefined
): Resources | undefined {
  const left = without(RESOURCES, { ...resources, [field]: value });
  return Object.keys(left).length ? left : undefined;
}

/** Whether a step says anything of how it is run. */
export function hasPolicy(step: Step): boolean {
  const { retries, timeout, resources, files, cache } = step;
  return (
    [retries, timeout, resources].some(part => part != null) ||
    (files ?? []).length > 0 ||
    (cache !== undefined && cache !== true)
  );
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
