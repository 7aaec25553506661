import { describe, expect, it } from 'vitest';
import { copy, paste, readClip } from './clipboard';
import { removeSteps } from './edits';
import { edges } from './graph';
import { rebase } from './paths';
import type { Workflow } from './types';

const SOURCE: Workflow = {
  mlwf: 1,
  name: 'source',
  parameters: { rate: { type: 'float', default: 0.1 }, other: { type: 'int' } },
  steps: {
    load: { notebook: 'nb/load.ipynb' },
    clean: {
      notebook: '../shared/clean.ipynb',
      parameters: {
        table: { from: 'steps.load.outputs.table' },
        rate: { from: 'params.rate' }
      },
      files: ['data/raw.csv']
    },
    train: {
      notebook: 'train.ipynb',
      when: 'steps.clean.metrics.rows > 1 && params.rate < 1.0',
      foreach: { from: 'steps.clean.outputs.parts' },
      parameters: {
        table: {
          first: [
            { from: 'steps.clean.outputs.table' },
            { from: 'steps.load.outputs.table' }
          ]
        },
        depth: { expr: "steps['clean'].outputs.n + steps.load.outputs.n" },
        text: 'steps.clean'
      },
      after: ['load', 'clean'],
      max_parallel: 2
    },
    label: {
      label: { items: { from: 'steps.load.outputs.rows' }, classes: ['a'] }
    }
  },
  groups: { both: { title: 'Both', steps: ['clean', 'train'] } },
  notes: { why: { text: 'because', at: [10, 20] } },
  layout: { load: [0, 0], clean: [300, 0], train: [600, 100] }
};

const PLACES = new Map([
  ['clean', { x: 300, y: 0 }],
  ['train', { x: 600, y: 100 }]
]);

function clipOf(steps: string[], notes: string[] = [], folder = 'a') {
  return readClip(copy(SOURCE, { steps, notes }, PLACES, folder))!;
}

it('steps are pasted with their inner wires under fresh names', () => {
  const clip = clipOf(['clean', 'train'], ['why']);
  const pasted = paste(SOURCE, clip, { folder: 'a' });
  expect(pasted.steps).toEqual(['clean_2', 'train_2']);
  const { steps, layout, notes, groups } = pasted.document;
  expect(steps!.clean_2).toEqual(SOURCE.steps!.clean);
  expect(steps!.train_2).toEqual({
    notebook: 'train.ipynb',
    when: 'steps.clean_2.metrics.rows > 1 && params.rate < 1.0',
    foreach: { from: 'steps.clean_2.outputs.parts' },
    parameters: {
      table: {
        first: [
          { from: 'steps.clean_2.outputs.table' },
          { from: 'steps.load.outputs.table' }
        ]
      },
      depth: { expr: 'steps.clean_2.outputs.n + steps.load.outputs.n' },
      text: 'steps.clean'
    },
    after: ['load', 'clean_2'],
    max_parallel: 2
  });
  expect(layout!.clean_2).toEqual([340, 40]);
  expect(layout!.train_2).toEqual([640, 140]);
  expect(pasted.notes).toEqual(['why_2']);
  expect(notes!.why_2).toEqual({ text: 'because', at: [50, 60] });
  expect(groups!.both_2).toEqual({
    title: 'Both',
    steps: ['clean_2', 'train_2']
  });
  const again = paste(pasted.document, clip, { folder: 'a' });
  expect(again.steps).toEqual(['clean_3', 'train_3']);
  expect(again.document.layout!.clean_3).toEqual([380, 80]);
});

it('what another document does not have is left out, and its parameters come along', () => {
  const target: Workflow = { name: 'target', steps: {} };
  const pasted = paste(target, clipOf(['clean', 'train', 'label']), {
    folder: 'b/c',
    at: { x: 0, y: 0 }
  });
  const { steps, parameters, layout } = pasted.document;
  expect(parameters).toEqual({ rate: SOURCE.parameters!.rate });
  expect(steps!.clean).toEqual({
    notebook: '../../shared/clean.ipynb',
    parameters: { rate: { from: 'params.rate' } },
    files: ['../../a/data/raw.csv']
  });
  expect(steps!.train).toEqual({
    notebook: '../../a/train.ipynb',
    when: SOURCE.steps!.train.when,
    foreach: { from: 'steps.clean.outputs.parts' },
    parameters: {
      table: { first: [{ from: 'steps.clean.outputs.table' }] },
      text: 'steps.clean'
    },
    after: ['clean'],
    max_parallel: 2
  });
  expect(steps!.label.label!.items).toEqual([]);
  expect(layout!.clean).toEqual([-150, -50]);
  const alone = paste(target, clipOf(['train']), { folder: 'a' });
  expect(alone.document.steps!.train).toEqual({
    notebook: 'train.ipynb',
    parameters: { text: 'steps.clean' }
  });
});

describe('of graphs of any shape', () => {
  let state = 7;
  const random = (below: number) => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };

  it('a copy is wired as the original, and nothing else has changed', () => {
    for (let round = 0; round < 200; round++) {
      const names = [...'abcdefgh'].slice(0, 2 + random(6));
      // Names that fresh names could run into.
      const wished = names.map(n =>
        random(3) ? n : `${names[0]}_${n === 'b' ? 2 : 3 + names.indexOf(n)}`
      );
      const own = [...new Set(wished)];
      const steps: NonNullable<Workflow['steps']> = {};
      own.forEach((name, index) => {
        const before = own.slice(0, index).filter(() => random(2));
        steps[name] = {
          notebook: `${name}.ipynb`,
          parameters: Object.fromEntries(
            before.map(each => [
              `in_${each}`,
              random(2)
                ? { from: `steps.${each}.outputs.x` }
                : { expr: `steps.${each}.outputs.x + 1` }
            ])
          ),
          ...(before.length && random(2) ? { after: [before[0]] } : {})
        };
      });
      const document: Workflow = { mlwf: 1, name: 'any', steps };
      const chosen = own.filter(() => random(2));
      if (!chosen.length) {
        continue;
      }
      const text = copy(document, { steps: chosen, notes: [] }, new Map(), '');
      const pasted = paste(document, readClip(text)!, { folder: '' });
      expect(removeSteps(pasted.document, pasted.steps).steps).toEqual(steps);
      expect(new Set(pasted.steps).size).toBe(chosen.length);
      const twin = new Map(chosen.map((name, at) => [name, pasted.steps[at]]));
      const flat = (document: Workflow, rename: (name: string) => string) =>
        edges(document)
          .map(edge => {
            const source =
              edge.kind === 'data' ? edge.source.step : edge.source;
            return [edge.kind, rename(source), rename(edge.target)].join(' ');
          })
          .sort();
      const expected = [
        ...flat(document, name => name),
        ...edges(document)
          .filter(edge => twin.has(edge.target))
          .map(edge => {
            const source =
              edge.kind === 'data' ? edge.source.step : edge.source;
            return [
              edge.kind,
              twin.get(source) ?? source,
              twin.get(edge.target)
            ].join(' ');
          })
      ].sort();
      expect(flat(pasted.document, name => name)).toEqual(expected);
    }
  });
});

it.each([
  ['', 'nothing'],
  ['hello', 'a text'],
  [
    '{"mlwf-steps": 2, "folder": "", "steps": {"a": {"notebook": "a"}}}',
    'a later version'
  ],
  [
    '{"mlwf-steps": 1, "folder": "", "steps": {"__proto__": {"notebook": "a"}}}',
    'a name of the language'
  ],
  [
    '{"mlwf-steps": 1, "folder": "", "steps": {"<img onerror=1>": {"notebook": "a"}}}',
    'a name that is none'
  ],
  ['{"mlwf-steps": 1, "folder": "", "steps": {"a": 1}}', 'a step that is none'],
  [
    '{"mlwf-steps": 1, "folder": 1, "steps": {"a": {"notebook": "a"}}}',
    'a folder that is none'
  ],
  ['{"mlwf-steps": 1, "folder": "", "steps": {}}', 'no steps'],
  [
    `{"mlwf-steps": 1, "folder": "", "steps": {"a": {"notebook": "a", "parameters": {"p": ${'['.repeat(5000)}${']'.repeat(5000)}}}}}`,
    'depth'
  ],
  [
    `{"mlwf-steps": 1, "folder": "", "steps": {"a": {"notebook": "${'x'.repeat(5_000_000)}"}}}`,
    'length'
  ],
  [
    `{"mlwf-steps": 1, "folder": "", "steps": {${Array.from({ length: 2001 }, (_, i) => `"s${i}": {"notebook": "a"}`).join()}}}`,
    'too many'
  ]
])('a text that is no copy is refused: %#', text => {
  expect(readClip(text)).toBeNull();
});

it.each([
  ['n.ipynb', '', 'b', '../n.ipynb'],
  ['n.ipynb', 'b', '', 'b/n.ipynb'],
  ['../n.ipynb', 'a/b', 'a', 'n.ipynb'],
  ['n/../m.ipynb', 'a', 'a/c', '../m.ipynb'],
  ['../../x.ipynb', 'a', 'b/c', '../../../x.ipynb'],
  ['n.ipynb', 'a', 'a', 'n.ipynb']
])('the path %s of %s is seen from %s', (path, from, to, seen) => {
  expect(rebase(path, from, to)).toBe(seen);
  if (!seen.startsWith('../../..')) {
    expect(rebase(seen, to, from)).toBe(path.replace('n/../', ''));
  }
});
