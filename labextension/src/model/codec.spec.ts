import { describe, expect, it } from 'vitest';
import table from '../../../tests/contract/documents.json';
import { newDocument, parse, write } from './codec';
import {
  difference,
  fromEntries,
  textEntries,
  textOf,
  toEntries
} from './entries';
import type { Workflow } from './types';

const documents = table.documents.map(
  ({ name, document, text }) =>
    [name, document as unknown as Workflow, text] as const
);
const broken = table.broken.map(({ name, text }) => [name, text] as const);

describe('documents, as Python has them', () => {
  it.each(documents)('%s', (_, document, text) => {
    expect(write(document)).toBe(text);
    const read = parse(text);
    expect(read.problems).toBeNull();
    expect(write(read.document!)).toBe(text);
  });

  it.each(documents)('as entries: %s', (_, document, text) => {
    const entries = toEntries(document);
    expect(textOf(entries)).toBeNull();
    const read = fromEntries(entries) as unknown as Workflow;
    expect(write(read)).toBe(text);
  });

  it.each(broken)('refused: %s', (_, text) => {
    const read = parse(text);
    expect(read.document).toBeNull();
    expect(read.problems).not.toHaveLength(0);
    expect(textOf(textEntries(text))).toBe(text);
  });
});

describe('reading', () => {
  it('says where the text is wrong', () => {
    const [problem] = parse('{"mlwf": 1,\n "name": "x", oops}').problems!;
    expect(problem.code).toBe('not-json');
    expect(problem.place).toBe('line 2, column 15');
  });

  it('names a key that is given twice', () => {
    const steps = '"a": {"notebook": "a"}, "a": {"notebook": "b"}';
    const { problems } = parse(`{"name": "x", "steps": {${steps}}}`);
    expect(problems).toMatchObject([
      { code: 'duplicate-key', place: 'steps.a' }
    ]);
  });

  it('takes brackets, commas and keys in texts for what they are', () => {
    const document = { name: 'x', title: '{"name": [1,2], "name": "\\"' };
    expect(parse(JSON.stringify(document)).document).toEqual(document);
  });

  it.each(['12345678901234567891', '1e999', '-9007199254740993'])(
    'refuses the number %s, which it could not write back',
    number => {
      const { problems } = parse(
        `{"name": "x", "parameters": {"p": {"type": "int", "default": ${number}}}}`
      );
      expect(problems).toMatchObject([
        { code: 'not-finite', place: 'parameters.p.default' }
      ]);
    }
  );

  it('keeps a byte order mark from hiding a document', () => {
    expect(parse('\ufeff{"name": "x"}').document).toEqual({ name: 'x' });
  });

  it('reads the new document that it writes', () => {
    expect(newDocument('untitled')).toBe(
      '{\n  "mlwf": 1,\n  "name": "untitled",\n  "steps": {}\n}\n'
    );
    expect(parse(newDocument('untitled')).problems).toBeNull();
  });
});

describe('entries', () => {
  const before: Workflow = {
    mlwf: 1,
    name: 'x',
    steps: {
      a: { notebook: 'a.ipynb', parameters: { p: 1, q: 2 } },
      b: { notebook: 'b.ipynb' }
    }
  };

  const change = (document: Workflow) => {
    const old = toEntries(before);
    return difference(old, toEntries(document, old));
  };

  it('change only where the document does', () => {
    const steps = {
      ...before.steps,
      a: { notebook: 'a.ipynb', parameters: { p: 3, q: 2 } }
    };
    const { set, remove } = change({ ...before, steps });
    expect([...set.keys()]).toEqual(['steps/a/parameters/p']);
    expect(remove).toEqual([]);
  });

  it('keep the order when a key is put between others', () => {
    const { a, b } = before.steps!;
    const document = { ...before, steps: { a, c: b, b, d: b } };
    const old = toEntries(before);
    const wanted = toEntries(document, old);
    const { set, remove } = difference(old, wanted);
    expect(remove).toEqual([]);
    expect([...set.keys()]).toEqual([
      'steps/c',
      'steps/c/notebook',
      'steps/d',
      'steps/d/notebook'
    ]);
    // In whatever order the entries come back.
    const shuffled = [...wanted].reverse();
    const read = fromEntries(shuffled) as unknown as Workflow;
    expect(Object.keys(read.steps!)).toEqual(['a', 'c', 'b', 'd']);
  });

  it('keep any order of keys', () => {
    let old = toEntries(before);
    for (const names of ['ba', 'cab', 'acb', 'bca', 'dcba', 'a']) {
      const steps = Object.fromEntries(
        [...names].map(name => [name, { notebook: `${name}.ipynb` }])
      );
      old = toEntries({ ...before, steps }, old);
      const read = fromEntries(old) as unknown as Workflow;
      expect(Object.keys(read.steps!).join('')).toBe(names);
    }
  });

  it('without a parent are ignored', () => {
    const entries = toEntries(before);
    entries.delete('steps/a');
    const read = fromEntries(entries) as unknown as Workflow;
    expect(read.steps).toEqual({ b: { notebook: 'b.ipynb' } });
  });
});
