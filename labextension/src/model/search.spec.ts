import { expect, it } from 'vitest';
import { search } from './search';
import type { Workflow } from './types';

const DOCUMENT: Workflow = {
  name: 'any',
  steps: {
    load: {
      title: 'Rohdaten 🎉 读取',
      notebook: 'notebooks/Load.ipynb',
      parameters: { source: 'data/RAW.csv', n: { expr: 'params.rate + 1' } }
    },
    ask: {
      person: { message: 'Deploy\nthe model?' },
      when: "steps.load.state == 'succeeded'",
      parameters: {
        x: { first: [{ from: 'steps.load.outputs.t' }, 3] },
        y: { value: { deep: 'value' } }
      }
    }
  },
  notes: { n: { text: 'one\ntwo words', at: [0, 0] } }
};
const TEXTS = new Map([
  [
    'notebooks/Load.ipynb',
    ['import pandas', `${'x'.repeat(300)}needle${'y'.repeat(300)}`]
  ]
]);

it.each([
  [
    'LOAD',
    [
      ['load', 'name'],
      ['load', 'file'],
      ['ask', 'parameter'],
      ['ask', 'condition']
    ]
  ],
  ['读取', [['load', 'title']]],
  ['raw.csv', [['load', 'parameter']]],
  ['params.rate', [['load', 'parameter']]],
  ['deep', [['ask', 'parameter']]],
  ['the model', [['ask', 'text']]],
  ['two', [['n', 'note']]],
  ['pandas', [['load', 'text']]],
  ['  ', []],
  ['nowhere', []]
])('%s is found', (query, expected) => {
  const hits = search(DOCUMENT, query, TEXTS);
  expect(hits.map(({ name, place }) => [name, place])).toEqual(expected);
  for (const { line, start, length } of hits) {
    expect(line.slice(start, start + length).toLowerCase()).toBe(
      query.toLowerCase()
    );
  }
});

it('a long line is shown around the hit', () => {
  const [hit] = search(DOCUMENT, 'needle', TEXTS);
  expect(hit.line.length).toBeLessThan(130);
  expect(hit.line.slice(hit.start, hit.start + hit.length)).toBe('needle');
});

it('of thousands of hits the first are kept', () => {
  const steps = Object.fromEntries(
    Array.from({ length: 3000 }, (_, at) => [`s${at}`, { notebook: 's.ipynb' }])
  );
  expect(search({ name: 'many', steps }, 's')).toHaveLength(200);
});
