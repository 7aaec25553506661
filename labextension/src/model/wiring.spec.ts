import { describe, expect, it } from 'vitest';
import { NODE_WIDTH } from './geometry';
import type { Edge } from './graph';
import { closesCycle, edges } from './graph';
import { fileStep } from './kinds';
import { addStep } from './edits';
import { column } from './placing';
import { portsOf, takenOutputs } from './ports';
import { newNotebook, toIdentifier } from './template';
import type { NotebookInput, NotebookInterface, Workflow } from './types';
import type { IFacts, Port } from './wiring';
import { Pull, insert, isUnconnected, join, misfitOfTypes } from './wiring';

function input(name: string, type: NotebookInput['type'] = null) {
  const rest = { required: false, default: null, source: null, help: null };
  return { name, type, ...rest };
}

function notebook(
  inputs: NotebookInput[],
  outputs: string[],
  artifacts: string[] = []
): NotebookInterface {
  return {
    language: 'python',
    kernel: null,
    has_parameters: true,
    inputs,
    outputs,
    artifacts,
    metrics: [],
    checks: [],
    complete: true
  };
}

const READ: { [path: string]: NotebookInterface } = {
  a: notebook([], ['table', 'count'], ['plot.png']),
  b: notebook(
    [input('table', 'str'), input('rate', 'float'), input('key', 'secret')],
    ['model']
  ),
  c: notebook([input('model')], ['table'])
};

function facts(workflow: Workflow, recorded: { [key: string]: unknown } = {}) {
  const taken = takenOutputs(workflow);
  return {
    workflow,
    ports: (step: string) => {
      const read = READ[workflow.steps?.[step]?.notebook ?? ''];
      return portsOf(workflow, step, read, taken.get(step) ?? []);
    },
    recorded: (step: string, output: string) => recorded[`${step}.${output}`]
  } satisfies IFacts;
}

const abc: Workflow = {
  name: 'x',
  steps: {
    a: { notebook: 'a' },
    b: { notebook: 'b' },
    c: { notebook: 'c' }
  }
};

const output = (step: string, name: string): Port => ({
  side: 'source',
  step,
  output: { kind: 'outputs', name }
});
const target = (step: string, name: string | null): Port => ({
  side: 'target',
  step,
  input: name
});

describe('what fits', () => {
  it('is judged by types as far as they are known', () => {
    expect(misfitOfTypes('int', 'float')).toBeNull();
    expect(misfitOfTypes('float', 'int')).toMatchObject({ code: 'type' });
    expect(misfitOfTypes(null, 'int')).toBeNull();
    expect(misfitOfTypes('dict', null)).toBeNull();
    expect(misfitOfTypes(null, 'secret')).toEqual({ code: 'secret' });
  });

  it('follows what was recorded, what an artifact is, and loops', () => {
    const known = facts(abc, { 'a.table': 'data.csv', 'a.count': 3 });
    const table = new Pull(known, output('a', 'table'));
    expect(table.complain(target('b', 'table'))).toBeNull();
    expect(table.complain(target('b', 'rate'))).toMatchObject({ code: 'type' });
    expect(table.complain(target('b', 'key'))).toEqual({ code: 'secret' });
    expect(table.complain(target('b', null))).toEqual({ code: 'order' });
    expect(table.complain(output('c', 'table'))).toEqual({ code: 'side' });
    const count = new Pull(known, output('a', 'count'));
    expect(count.complain(target('b', 'rate'))).toBeNull();
    const looped = { ...abc, steps: { ...abc.steps } };
    looped.steps.a = { notebook: 'a', foreach: [1, 2] };
    const list = new Pull(
      facts(looped, { 'a.table': 'x' }),
      output('a', 'table')
    );
    expect(list.type).toBe('list');
    expect(list.complain(target('b', 'table'))).toMatchObject({
      given: 'list'
    });
  });

  it('never closes a circle, from whichever end the wire is pulled', () => {
    const chain = join(
      join(abc, output('a', 'table'), target('b', 'table')),
      output('b', 'model'),
      target('c', 'model')
    );
    const known = facts(chain);
    const names = Object.keys(chain.steps!);
    for (const from of names) {
      for (const to of names) {
        const after: Port = { side: 'source', step: from, output: null };
        const before = target(to, null);
        const wanted = closesCycle(chain, from, to);
        for (const [one, other] of [
          [after, before],
          [before, after]
        ]) {
          const misfit = new Pull(known, one).complain(other);
          expect(misfit?.code === 'cycle').toBe(wanted);
        }
      }
    }
  });

  it('is not what is connected already', () => {
    const connected = join(abc, output('a', 'table'), target('b', 'table'));
    const pull = new Pull(facts(connected), output('a', 'table'));
    expect(pull.complain(target('b', 'table'))).toEqual({ code: 'connected' });
    expect(pull.obvious('b')).toEqual(target('b', 'rate'));
  });

  it('is obvious where one port has the name, or only one fits', () => {
    const known = facts(abc, { 'a.count': 3 });
    const table = new Pull(known, output('a', 'table'));
    expect(table.obvious('b')).toEqual(target('b', 'table'));
    expect(table.obvious('c')).toEqual(target('c', 'model'));
    expect(new Pull(known, output('a', 'count')).obvious('b')).toEqual(
      target('b', 'rate')
    );
    expect(new Pull(known, output('c', 'table')).obvious('a')).toBeNull();
    const model = new Pull(known, output('c', 'other'));
    expect(model.fitting('b')).toHaveLength(2);
    expect(model.obvious('b')).toBeNull();
    const back = new Pull(known, target('b', 'table'));
    expect(back.obvious('a')).toEqual(output('a', 'table'));
  });

  it('is found in a notebook that is no step yet', () => {
    const known = facts(abc, { 'a.table': 'x' });
    const ports = portsOf({ name: '' }, '', READ.b, []);
    const pull = new Pull(known, output('a', 'table'));
    expect(pull.fittingNew(ports)).toEqual([target('', 'table')]);
    const key = new Pull(known, target('b', 'key'));
    expect(key.fittingNew(portsOf({ name: '' }, '', READ.a, []))).toEqual([]);
  });
});

describe('a step put into an edge', () => {
  const only = (workflow: Workflow) => edges(workflow)[0];
  const put = (workflow: Workflow, edge: Edge, step: string) =>
    insert(facts(workflow), edge, step);

  it('takes the value, and gives its own', () => {
    const wired = join(abc, output('a', 'table'), target('b', 'table'));
    const result = put(wired, only(wired), 'c');
    expect(result.passes).toBe(true);
    expect(result.document.steps!.b.parameters).toEqual({
      table: { from: 'steps.c.outputs.table' }
    });
    expect(result.document.steps!.c.parameters).toEqual({
      model: { from: 'steps.a.outputs.table' }
    });
  });

  it('keeps the other values of a join', () => {
    const others = [{ from: 'params.p' }, { value: null }];
    const wired: Workflow = {
      ...abc,
      steps: {
        ...abc.steps,
        b: {
          notebook: 'b',
          parameters: {
            table: { first: [{ from: 'steps.a.outputs.table' }, ...others] }
          }
        }
      }
    };
    const { document } = put(wired, only(wired), 'c');
    expect(document.steps!.b.parameters!.table).toEqual({
      first: [{ from: 'steps.c.outputs.table' }, ...others]
    });
  });

  it('is waited for where nothing of it fits', () => {
    const bare = { ...abc, steps: { ...abc.steps, d: { notebook: 'd' } } };
    const wired = join(bare, output('a', 'table'), target('b', 'table'));
    const result = put(wired, only(wired), 'd');
    expect(result.passes).toBe(false);
    expect(edges(result.document)).toHaveLength(3);
    const ordered = join(
      bare,
      { side: 'source', step: 'a', output: null },
      target('b', null)
    );
    const split = put(ordered, only(ordered), 'd').document;
    expect(split.steps!.b.after).toEqual(['d']);
    expect(split.steps!.d.after).toEqual(['a']);
    expect(isUnconnected(split, 'd')).toBe(false);
    expect(isUnconnected(split, 'c')).toBe(true);
  });
});

describe('what arrives', () => {
  it('is a notebook or another workflow', () => {
    const { step, wish } = fileStep('sub/Daily.mlwf');
    const { document, name } = addStep(abc, step, wish, { x: 0, y: 0 });
    expect(document.steps![name]).toEqual({ workflow: 'sub/Daily.mlwf' });
    expect(name).toBe('Daily');
  });

  it('lies on nothing, in order', () => {
    const taken = [
      { x: 0, y: 90, height: 100 },
      { x: NODE_WIDTH - 1, y: 300, height: 50 },
      { x: NODE_WIDTH + 1, y: 0, height: 1000 }
    ];
    const heights = [80, 120, 60, 200];
    const places = column({ x: 0, y: 0 }, heights, taken);
    const all = places.map(({ y }, at) => [y, y + heights[at]]);
    const blocked = [...all, [90, 190], [300, 350]].sort((a, b) => a[0] - b[0]);
    blocked.slice(1).forEach(([top], at) => {
      expect(top).toBeGreaterThanOrEqual(blocked[at][1]);
    });
    expect(all).toEqual([...all].sort((a, b) => a[0] - b[0]));
    expect(places[0]).toEqual({ x: 0, y: 0 });
  });

  it('is a new notebook whose code is made of names alone', () => {
    expect(toIdentifier('model.v1.pkl')).toBe('model_v1');
    expect(toIdentifier('class')).toBe('class_');
    expect(toIdentifier('数据')).toBe('value');
    expect(toIdentifier('x");import os#')).toMatch(/^[A-Za-z][A-Za-z0-9_]*$/);
    const made = newNotebook({
      input: { name: 'table', type: 'list' },
      output: 'a"b\\',
      kernel: { name: 'python3', title: 'Python 3' }
    });
    const [parameters, record] = made.cells as { source: string }[];
    expect(parameters).toMatchObject({
      source: 'table: list = []',
      metadata: { tags: ['parameters'] }
    });
    expect(record.source).toContain('mlwf.output("a\\"b\\\\", table)');
  });
});
