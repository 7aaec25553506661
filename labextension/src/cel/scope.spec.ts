import { expect, it } from 'vitest';
import type { RunRecord, StepRecord, Workflow } from '../api/types';
import { evaluate } from './cel';
import { variablesOf } from './scope';

const STEP = {
  state: 'succeeded',
  reason: null,
  attempts: 1,
  turns: null,
  outputs: {},
  artifacts: {},
  metrics: {},
  checks: {}
} as unknown as StepRecord;

const RUN = {
  id: 'r1',
  number: 7,
  workflow: 'w',
  created: '2026-01-01T00:00:00Z',
  parameters: { rate: 1, rounds: 3, rates: [0.1, 0.2] },
  steps: {
    clean: {
      ...STEP,
      outputs: { rows: 42, names: [{ n: 1 }] },
      artifacts: { 'm.pkl': { path: 'runs/m.pkl' } },
      metrics: { auc: 1 },
      checks: { enough: { value: 2, min: 1, max: null, passed: true } }
    },
    loop: { ...STEP, turns: 2 },
    'loop.0': { ...STEP, outputs: { y: 1 } },
    'loop.1': { ...STEP, state: 'failed' }
  }
} as unknown as RunRecord;

const WORKFLOW = {
  parameters: { rate: { type: 'float' } }
} as unknown as Workflow;

it.each([
  ['params.rate * 2.0', 2],
  ['params.rounds + 1', 4],
  ['steps.clean.outputs.rows == 42', true],
  [
    'steps.clean.metrics.auc > 0.5 && steps.clean.metrics.auc + 1.0 == 2.0',
    true
  ],
  ["steps.clean.artifacts['m.pkl']", 'runs/m.pkl'],
  ['steps.clean.checks.enough.passed', true],
  ['steps.clean.attempts + 1', 2],
  ['steps.loop.outputs.y', [1, null]],
  ['steps.loop.states', ['succeeded', 'failed']],
  ['timestamp(run.created).getFullYear()', 2026],
  ['run.number', 7]
])('shows a run to %s', (text, value) => {
  expect(evaluate(text, variablesOf(RUN, WORKFLOW, null))).toEqual(value);
});

it.each([
  [{ from: 'params.rates' }, 'item * 10.0', 1],
  [[5, 6], 'item + index', 5],
  [{ from: 'steps.clean.outputs.names' }, 'item.n', 1],
  [{ expr: '[3, 4].map(x, x * 2)' }, 'item', 6],
  [{ first: [{ from: 'params.none' }, [9]] }, 'item', 9]
])('gives the first item of %j', (foreach, text, value) => {
  const variables = variablesOf(RUN, WORKFLOW, foreach);
  expect(evaluate(text, variables)).toBe(value);
});

it('has no item where there is no list', () => {
  const variables = variablesOf(RUN, WORKFLOW, { from: 'params.nothing' });
  expect(() => evaluate('item', variables)).toThrow('`item`');
});
