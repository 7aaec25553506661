import { describe, expect, it } from 'vitest';
import type { INames } from './completion';
import { completionsAt } from './completion';

const NAMES: INames = {
  params: [
    { name: 'rate', type: 'float' },
    { name: 'my-rounds', type: 'int' }
  ],
  steps: [
    {
      name: 'clean',
      outputs: ['rows', 'm.pkl'],
      artifacts: [],
      metrics: ['auc'],
      checks: ['enough']
    },
    { name: 'my-step', outputs: [], artifacts: [], metrics: [], checks: [] }
  ],
  isLoop: false
};

function complete(text: string, names = NAMES): string[] {
  return completionsAt(text, text.length, names).map(
    ({ from, insert }) => text.slice(0, from) + insert
  );
}

describe('completionsAt', () => {
  it.each([
    ['pa', ['params.']],
    ['params.', ['params.rate', "params['my-rounds']"]],
    ['params.ra', ['params.rate']],
    ['params.rate', []],
    ['1.0 < params.r', ['1.0 < params.rate']],
    ['steps.', ['steps.clean.', "steps['my-step']."]],
    ['steps.clean.m', ['steps.clean.metrics.']],
    ["steps['my-step'].st", ["steps['my-step'].state"]],
    [
      'steps.clean.outputs.',
      ['steps.clean.outputs.rows', "steps.clean.outputs['m.pkl']"]
    ],
    ['steps.clean.checks.e', ['steps.clean.checks.enough.']],
    ['steps.clean.checks.enough.p', ['steps.clean.checks.enough.passed']],
    ['!has(steps.cl', ['!has(steps.clean.']],
    ['si', ['size(']],
    ['ite', []],
    ["'params.", []],
    ['steps.clean.outputs.rows.', []],
    ['1.', []],
    ['params.rate)', []]
  ])('completes %s', (text, expected) => {
    expect(complete(text)).toEqual(expected);
  });

  it('knows the item of a loop', () => {
    expect(complete('ite', { ...NAMES, isLoop: true })).toEqual(['item']);
  });

  it('replaces the word before the cursor only', () => {
    const text = 'params.r > 1.0';
    const [{ from, insert }] = completionsAt(text, 8, NAMES);
    expect(text.slice(0, from) + insert + text.slice(8)).toBe(
      'params.rate > 1.0'
    );
  });
});
