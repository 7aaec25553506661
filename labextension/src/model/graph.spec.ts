import { describe, expect, it } from 'vitest';
import cases from '../../../tests/contract/references.json';
import { disconnect, removeSteps, renameParameter, renameStep } from './edits';
import { renamedIn } from './expressions';
import { edgeId, edges, parseReference, upstream } from './graph';
import type { Step, Workflow } from './types';

interface ICase {
  what: string;
  step: Step;
  upstream: string[];
}

it.each(cases as unknown as ICase[])(
  'what a step waits for: $what',
  ({ step, upstream: expected }) => {
    expect(upstream(step).sort()).toEqual(expected);
  }
);

const workflow: Workflow = {
  name: 'x',
  parameters: { rate: { type: 'float' }, rates: { type: 'list' } },
  steps: {
    a: { notebook: 'a.ipynb' },
    b: { person: { message: 'Go?' }, after: ['a'] },
    c: {
      notebook: 'c.ipynb',
      foreach: { from: 'steps.a.outputs.items' },
      when: 'steps.b.state == "succeeded" && params.rate > 1',
      parameters: {
        x: {
          first: [
            { from: 'steps.a.outputs.x' },
            { from: 'steps.a.outputs.x' },
            { from: 'steps.b.outputs.x' }
          ]
        },
        y: { expr: 'steps.a.outputs.y * params.rate' },
        z: { from: 'item.z' }
      }
    },
    d: { label: { items: { from: 'steps.c.outputs.l' }, classes: ['k'] } }
  },
  scenes: { some: ['a', 'b'] },
  outputs: { best: { expr: 'steps.a.outputs.x' } }
};

describe('edges', () => {
  it('show what passes, what waits and what is looked at', () => {
    expect(edges(workflow).map(edge => [edge.kind, edgeId(edge)])).toEqual([
      ['order', 'a > b'],
      ['data', 'steps.a.outputs.x > c.x'],
      ['data', 'steps.b.outputs.x > c.x'],
      ['use', 'a > c'],
      ['use', 'b > c'],
      ['use', 'c > d']
    ]);
  });

  it('are cut where they are written in one place', () => {
    const [, data, other, use] = edges(workflow);
    const { steps } = disconnect(workflow, [data, use]);
    expect(steps!.c.parameters!.x).toEqual({
      first: [{ from: 'steps.b.outputs.x' }]
    });
    expect(steps!.c.foreach).toEqual(workflow.steps!.c.foreach);
    const none = disconnect(workflow, [data, other]).steps!.c.parameters!;
    expect(Object.keys(none)).toEqual(['y', 'z']);
  });
});

describe('a name that changes', () => {
  it('is followed by all that names the step', () => {
    const renamed = renameStep(workflow, 'a', 'load-it');
    expect(renamed.steps!.c).toMatchObject({
      foreach: { from: 'steps.load-it.outputs.items' },
      parameters: {
        x: {
          first: [
            { from: 'steps.load-it.outputs.x' },
            { from: 'steps.load-it.outputs.x' },
            { from: 'steps.b.outputs.x' }
          ]
        },
        y: { expr: "steps['load-it'].outputs.y * params.rate" },
        z: { from: 'item.z' }
      }
    });
    expect(renamed.steps!.b.after).toEqual(['load-it']);
    expect(renamed.scenes).toEqual({ some: ['load-it', 'b'] });
    expect(renamed.outputs).toEqual({
      best: { expr: "steps['load-it'].outputs.x" }
    });
    expect(renameStep(renamed, 'load-it', 'a')).toEqual(workflow);
    const other = renameStep(workflow, 'c', 'q').steps!.d.label!;
    expect(other).toEqual({
      items: { from: 'steps.q.outputs.l' },
      classes: ['k']
    });
  });

  it('is followed by all that names the parameter', () => {
    const { c } = renameParameter(workflow, 'rate', 'pace').steps!;
    expect(c.when).toBe('steps.b.state == "succeeded" && params.pace > 1');
    expect(c.parameters!.y).toEqual({
      expr: 'steps.a.outputs.y * params.pace'
    });
  });

  it('of a step that is removed leaves joins and scenes', () => {
    const left = removeSteps(workflow, ['b']);
    expect(left.steps!.c.parameters!.x).toEqual({
      first: [{ from: 'steps.a.outputs.x' }, { from: 'steps.a.outputs.x' }]
    });
    expect(left.scenes).toEqual({ some: ['a'] });
  });

  it.each([
    ['steps.a.x + steps.ab.x', 'steps', 'a', 'c', 'steps.c.x + steps.ab.x'],
    ["steps.a.x == 'steps.a'", 'steps', 'a', 'c', "steps.c.x == 'steps.a'"],
    [
      `steps[ 'b-2' ].x == steps["b-2"].x`,
      'steps',
      'b-2',
      'b',
      'steps.b.x == steps.b.x'
    ],
    [
      'params.r > 1 || run.params.r',
      'params',
      'r',
      's',
      'params.s > 1 || run.params.r'
    ],
    ['steps.r.outputs.r', 'params', 'r', 's', 'steps.r.outputs.r']
  ] as const)('in %s', (text, root, from, to, renamed) => {
    expect(renamedIn(text, root, new Map([[from, to]]))).toBe(renamed);
  });
});

it.each([
  ['item', { kind: 'item', path: 'item' }],
  ['item.a.b', { kind: 'item', path: 'item.a.b' }],
  ['index', { kind: 'item', path: 'index' }],
  ['item.', null],
  ['items', null],
  ['index.a', null]
])('%s in a loop', (text, source) => {
  expect(parseReference(text)).toEqual(source);
});
