import { describe, expect, it } from 'vitest';
import { setStep } from './edits';
import {
  complainDuration,
  complainSize,
  RETRY_REASONS,
  hasPolicy,
  withReason,
  withResources,
  withRetries,
  withoutDefault
} from './policy';

describe('policy', () => {
  it.each(['', '250ms', '30s', '1.5m', '2h', '7d'])('takes %j', text => {
    expect(complainDuration(text)).toBeNull();
  });

  it.each(['30', 's', '1,5m', '2 h', '-1s', '1w', '1e3s'])(
    'refuses the duration %j',
    text => {
      expect(complainDuration(text)).toContain('such as 30s');
    }
  );

  it('knows sizes', () => {
    expect(['', '512MiB', '1.5GB'].map(complainSize)).toEqual([
      null,
      null,
      null
    ]);
    expect(complainSize('4 G')).toContain('such as 512MiB');
  });

  it('writes of retries what is no default', () => {
    const two = withRetries(undefined, 'count', 2);
    expect(two).toEqual({ count: 2 });
    const slow = withRetries(two, 'delay', '10s');
    expect(slow).toEqual({ count: 2, delay: '10s' });
    expect(withRetries(slow, 'delay', '0s')).toEqual({ count: 2 });
    expect(withRetries(slow, 'backoff', 1)).toEqual(slow);
    expect(withRetries(slow, 'count', undefined)).toBeUndefined();
    expect(withRetries(slow, 'count', 0)).toBeUndefined();
  });

  it('writes of resources what is no default', () => {
    const big = withResources(undefined, 'memory', '4GiB');
    expect(big).toEqual({ memory: '4GiB' });
    expect(withResources(big, 'cpus', 1)).toEqual(big);
    expect(withResources(big, 'memory', '')).toBeUndefined();
    expect(withResources({ cpus: 0 }, 'gpus', 1)).toEqual({ cpus: 0, gpus: 1 });
  });

  it('names reasons only if they are not all of them', () => {
    const some = withReason({ count: 1 }, 'memory', false);
    expect(some.on).toEqual(RETRY_REASONS.filter(each => each !== 'memory'));
    expect(withReason(some, 'memory', true)).toEqual({ count: 1 });
    const one = RETRY_REASONS.slice(1).reduce(
      (result, reason) => withReason(result, reason, false),
      { count: 1 }
    );
    expect(one).toEqual({ count: 1, on: ['error'] });
  });

  it.each([
    ['cache', true],
    ['allow_failure', false],
    ['files', []],
    ['environment', {}]
  ])('does not write %s: %j', (field, value) => {
    expect(withoutDefault(field, value)).toBeUndefined();
  });

  it.each([
    ['cache', '7d'],
    ['allow_failure', true],
    ['environment', { A: '' }]
  ])('writes %s: %j', (field, value) => {
    expect(withoutDefault(field, value)).toEqual(value);
    expect(hasPolicy({ notebook: 'a.ipynb', [field]: value })).toBe(true);
  });

  it('is a part of the step that comes and goes', () => {
    const plain = { name: 'w', steps: { a: { notebook: 'a.ipynb' } } };
    const off = setStep(plain, 'a', { cache: false });
    expect(off.steps?.a).toEqual({ notebook: 'a.ipynb', cache: false });
    expect(hasPolicy(off.steps!.a)).toBe(true);
    expect(setStep(off, 'a', { cache: undefined })).toEqual(plain);
    expect(hasPolicy(plain.steps.a)).toBe(false);
  });
});
