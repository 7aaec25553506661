import { describe, expect, it } from 'vitest';
import { NODE_WIDTH, placeSteps, rowsOf } from './geometry';
import { nearest } from './neighbours';
import { describeInput, portsOf, takenOutputs } from './ports';
import type { NotebookInput, NotebookInterface, Workflow } from './types';
import { readValue, showValue } from './values';

function input(name: string, rest: Partial<NotebookInput> = {}): NotebookInput {
  return {
    name,
    type: null,
    required: false,
    default: null,
    source: null,
    help: null,
    ...rest
  };
}

function notebook(rest: Partial<NotebookInterface>): NotebookInterface {
  return {
    language: 'python',
    kernel: null,
    has_parameters: true,
    inputs: [],
    outputs: [],
    artifacts: [],
    metrics: [],
    checks: [],
    complete: true,
    ...rest
  };
}

const document: Workflow = {
  name: 'x',
  steps: {
    a: { notebook: 'a.ipynb' },
    b: {
      notebook: 'b.ipynb',
      parameters: {
        table: { from: 'steps.a.outputs.table' },
        typo: { from: 'steps.a.outputs.tabel' },
        rate: { from: 'params.rate' },
        depth: 6,
        options: { value: { k: 1 } },
        odd: { from: 'nowhere' }
      }
    }
  }
};

const taken = takenOutputs(document);

describe('ports', () => {
  it('are what the notebook has, then what only the document speaks of', () => {
    const a = notebook({ outputs: ['table'], artifacts: ['plot.png'] });
    const { outputs } = portsOf(document, 'a', a, taken.get('a')!);
    expect(
      outputs.map(({ kind, name, isDangling }) => [kind, name, isDangling])
    ).toEqual([
      ['outputs', 'table', false],
      ['artifacts', 'plot.png', false],
      ['outputs', 'tabel', true]
    ]);
    const b = notebook({ inputs: [input('depth'), input('table')] });
    const { inputs } = portsOf(document, 'b', b, []);
    expect(inputs.map(({ name, isDangling }) => [name, isDangling])).toEqual([
      ['depth', false],
      ['table', false],
      ['typo', true],
      ['rate', true],
      ['options', true],
      ['odd', true]
    ]);
  });

  it('are not called wrong while nothing is known of the notebook', () => {
    const { outputs } = portsOf(document, 'a', undefined, taken.get('a')!);
    const { inputs } = portsOf(document, 'b', undefined, []);
    expect(outputs.map(({ name }) => name)).toEqual(['table', 'tabel']);
    expect([...outputs, ...inputs].some(port => port.isDangling)).toBe(false);
  });

  it('are not called wrong if the notebook may record more', () => {
    const open = notebook({ complete: false });
    const { outputs } = portsOf(document, 'a', open, taken.get('a')!);
    expect(outputs.some(port => port.isDangling)).toBe(false);
  });

  it('show a value, a source, or the default', () => {
    const read = notebook({
      inputs: [
        input('table'),
        input('rate'),
        input('depth'),
        input('options'),
        input('odd'),
        input('free', { default: 3, source: '3' }),
        input('needed', { required: true })
      ]
    });
    const { inputs } = portsOf(document, 'b', read, []);
    const shown = Object.fromEntries(
      inputs.map(port => [port.name, describeInput(port)])
    );
    expect(shown).toMatchObject({
      table: null,
      rate: { kind: 'source', text: '← params.rate' },
      depth: { kind: 'literal', text: '6' },
      options: { kind: 'literal', text: '{"k":1}' },
      odd: { kind: 'source', text: '← nowhere' },
      free: { kind: 'default', text: '3' },
      needed: null
    });
  });

  it('share a row where there is room', () => {
    const read = notebook({
      inputs: [input('depth'), input('table')],
      outputs: ['one', 'two']
    });
    const lone: Workflow = {
      name: 'x',
      steps: {
        s: {
          notebook: 's.ipynb',
          parameters: { depth: 6, table: { from: 'steps.a.outputs.t' } }
        }
      }
    };
    const rows = rowsOf(portsOf(lone, 's', read, []));
    expect(rows).toEqual([
      { input: 0, output: null },
      { input: 1, output: 0 },
      { input: null, output: 1 }
    ]);
  });
});

describe('places', () => {
  const chain: Workflow = {
    name: 'x',
    steps: {
      a: { notebook: 'a' },
      b: { notebook: 'b', after: ['a'] },
      c: { notebook: 'c', after: ['a'] }
    }
  };

  it('are found for steps that have none, and none covers another', () => {
    for (const layout of [{}, { a: [0, 0] }, { c: [320, 10] }] as const) {
      const laid = { ...chain, layout: layout as Workflow['layout'] };
      const places = [...placeSteps(laid, () => 100).values()];
      expect(places).toHaveLength(3);
      places.forEach((one, index) =>
        places.slice(index + 1).forEach(other => {
          const apart =
            Math.abs(one.x - other.x) >= NODE_WIDTH ||
            Math.abs(one.y - other.y) >= 100;
          expect(apart).toBe(true);
        })
      );
    }
  });

  it('are walked with the arrow keys', () => {
    const places = placeSteps(chain, () => 100);
    expect(nearest(places, undefined, 'right')).toBe('a');
    expect(nearest(places, 'a', 'right')).toBe('b');
    expect(nearest(places, 'b', 'down')).toBe('c');
    expect(nearest(places, 'c', 'up')).toBe('b');
    expect(nearest(places, 'a', 'left')).toBeUndefined();
  });
});

describe('values', () => {
  it.each([
    ['6', 'int', 6],
    ['6', 'float', 6],
    ['6', 'str', '6'],
    ['6', null, 6],
    ['six', null, 'six'],
    ['[1, 2]', 'list', [1, 2]],
    ['{"a": 1}', 'dict', { a: 1 }],
    ['true', 'bool', true]
  ] as const)('%s as %s', (text, type, value) => {
    expect(readValue(text, type)).toEqual({ value, complaint: null });
    expect(readValue(showValue(value as never, type), type).value).toEqual(
      value
    );
  });

  it.each([
    ['6.5', 'int'],
    ['six', 'int'],
    ['6', 'list'],
    ['{', 'dict'],
    ['1', 'bool']
  ] as const)('%s is not %s', (text, type) => {
    expect(readValue(text, type).complaint).toMatch(/^This is not /);
  });

  it('come back as they were where the type is not known', () => {
    for (const value of ['6', 'six', 'true', '"quoted"', 6, null, [1]]) {
      expect(readValue(showValue(value, null), null).value).toEqual(value);
    }
  });
});
