import { describe, expect, it } from 'vitest';
import * as edits from './edits';
import { closesCycle, depths, edges, parseReference } from './graph';
import { executingStep } from './kinds';
import { complainName, freshName, toName } from './names';
import type { Workflow } from './types';

/** Numbers that look random, the same each time. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
}

/** A workflow without circles, of any shape. */
function generate(seed: number): Workflow {
  const random = generator(seed);
  const names = [...'abcdefgh'].slice(0, 2 + random(7)).map(n => `step_${n}`);
  const steps: NonNullable<Workflow['steps']> = {};
  names.forEach((name, index) => {
    const step: (typeof steps)[string] = { notebook: `${name}.ipynb` };
    for (const before of names.slice(0, index)) {
      const kind = random(4);
      if (kind === 0) {
        step.after = [...(step.after ?? []), before];
      } else if (kind === 1) {
        const from = `steps.${before}.${random(2) ? 'outputs' : 'artifacts'}.x.y`;
        step.parameters = { ...step.parameters, [`in_${before}`]: { from } };
      }
    }
    if (random(2)) {
      const from = random(2) ? 'params.rate' : 'params.other';
      step.parameters = { ...step.parameters, rate: { from } };
    }
    steps[name] = step;
  });
  return {
    mlwf: 1,
    name: 'generated',
    parameters: { rate: { type: 'float' }, other: { type: 'int' } },
    steps,
    layout: { [names[0]]: [0, 0] }
  };
}

const seeds = Array.from({ length: 200 }, (_, seed) => seed);

describe('renaming a step', () => {
  it('changes every mention of it, and nothing else', () => {
    for (const seed of seeds) {
      const before = generate(seed);
      const names = Object.keys(before.steps!);
      const from = names[generator(seed + 1)(names.length)];
      const after = edits.renameStep(before, from, 'renamed');
      // A name is a word of its own in every place where it is one.
      const mention = new RegExp(`\\b(?<!in_)${from}\\b(?!\\.ipynb)`, 'g');
      const expected = JSON.stringify(before).replace(mention, 'renamed');
      expect(JSON.stringify(after)).toBe(expected);
      expect(edges(after)).toHaveLength(edges(before).length);
      expect(edits.renameStep(after, 'renamed', from)).toEqual(before);
    }
  });

  it('leaves a step alone whose name only begins alike', () => {
    const document: Workflow = {
      name: 'x',
      steps: {
        a: { notebook: 'a.ipynb' },
        ab: { notebook: 'ab.ipynb' },
        c: {
          notebook: 'c.ipynb',
          parameters: {
            one: { from: 'steps.ab.outputs.a' },
            text: 'steps.a.outputs.x',
            broken: { from: 'steps.a.nothing.x' }
          }
        }
      }
    };
    const { steps } = edits.renameStep(document, 'a', 'z');
    expect(steps!.c).toEqual(document.steps!.c);
    expect(Object.keys(steps!)).toEqual(['z', 'ab', 'c']);
  });
});

describe('removing steps', () => {
  it('leaves no mention of them', () => {
    for (const seed of seeds) {
      const before = generate(seed);
      const [gone] = Object.keys(before.steps!);
      const after = edits.removeSteps(before, [gone]);
      expect(JSON.stringify(after)).not.toMatch(new RegExp(`[."]${gone}[."]`));
      const kept = edges(before).filter(
        edge =>
          edge.target !== gone &&
          (edge.kind === 'data' ? edge.source.step : edge.source) !== gone
      );
      expect(edges(after)).toEqual(kept);
    }
  });
});

describe('connecting', () => {
  it('closes a circle exactly when the target comes before the source', () => {
    for (const seed of seeds) {
      const document = generate(seed);
      const names = Object.keys(document.steps!);
      for (const source of names) {
        for (const target of names) {
          const connected = edits.connectOrder(document, source, target);
          expect(closesCycle(document, source, target)).toBe(
            hasCycle(connected)
          );
        }
      }
    }
  });

  it('replaces what the input had, and can be undone', () => {
    const document: Workflow = {
      name: 'x',
      steps: {
        a: { notebook: 'a.ipynb' },
        b: { notebook: 'b.ipynb', parameters: { t: 1 } }
      }
    };
    const source = { kind: 'outputs', step: 'a', name: 'y' } as const;
    const connected = edits.connect(document, source, 'b', 't');
    expect(connected.steps!.b.parameters).toEqual({
      t: { from: 'steps.a.outputs.y' }
    });
    const cut = edits.disconnect(connected, edges(connected));
    expect(cut.steps!.b).toEqual({ notebook: 'b.ipynb' });
  });

  it('says an order once', () => {
    const document = edits.connectOrder(
      { name: 'x', steps: { a: { notebook: 'a' }, b: { notebook: 'b' } } },
      'a',
      'b'
    );
    expect(edits.connectOrder(document, 'a', 'b')).toBe(document);
    const cut = edits.disconnect(document, edges(document));
    expect(cut.steps!.b).toEqual({ notebook: 'b' });
  });
});

describe('parameters', () => {
  it('are renamed in every reference', () => {
    for (const seed of seeds) {
      const before = generate(seed);
      const after = edits.renameParameter(before, 'rate', 'speed');
      const expected = JSON.stringify(before)
        .replaceAll('params.rate"', 'params.speed"')
        .replace('"parameters":{"rate"', '"parameters":{"speed"');
      expect(JSON.stringify(after)).toBe(expected);
    }
  });
});

describe('adding and moving', () => {
  it('names a step after its notebook, and never twice', () => {
    let document: Workflow = { name: 'x', steps: {} };
    const names = ['sub/Train model.ipynb', 'Train model.ipynb', '1.ipynb'].map(
      notebook => {
        const { step, wish } = executingStep('notebook', notebook);
        const added = edits.addStep(document, step, wish, { x: -0.2, y: 1.5 });
        document = added.document;
        return added.name;
      }
    );
    expect(names).toEqual(['Train_model', 'Train_model_2', 'step']);
    expect(document.layout!.step).toEqual([0, 2]);
    expect(Object.is(document.layout!.step[0], -0)).toBe(false);
  });

  it('removes a field that is emptied', () => {
    const document: Workflow = {
      name: 'x',
      title: 'X',
      steps: { a: { notebook: 'a.ipynb', title: 'A', kernel: 'ir' } }
    };
    expect(edits.setWorkflow(document, { title: '' })).not.toHaveProperty(
      'title'
    );
    expect(edits.setStep(document, 'a', { kernel: '' }).steps!.a).toEqual({
      notebook: 'a.ipynb',
      title: 'A'
    });
  });
});

describe('names', () => {
  it('are made of any text', () => {
    expect(toName('Größe & Gewicht', 'x')).toBe('Gro_e_Gewicht');
    expect(toName('数据', 'step')).toBe('step');
    expect(toName('3-split', 'x')).toBe('split');
    expect(toName('a'.repeat(90), 'x')).toHaveLength(64);
  });

  it('are fresh', () => {
    expect(freshName('a', ['a', 'a_2'])).toBe('a_3');
    const long = 'a'.repeat(64);
    expect(freshName(long, [long])).toHaveLength(64);
  });

  it('are judged in words', () => {
    expect(complainName('train', [])).toBeNull();
    expect(complainName('train', ['train'])).toContain('exists');
    expect(complainName('1', [])).toContain('letter');
    expect(complainName('', [])).toContain('letter');
  });
});

describe('references', () => {
  it.each([
    ['params.rate', { kind: 'params', name: 'rate' }],
    ['steps.a.outputs.b', { kind: 'outputs', step: 'a', name: 'b' }],
    [
      'steps.a.artifacts.m.pkl',
      { kind: 'artifacts', step: 'a', name: 'm.pkl' }
    ],
    ['params.', null],
    ['params.a.b', null],
    ['steps.a.outputs', null],
    ['steps.a.metrics.b', null],
    ['steps..outputs.b', null],
    ['', null]
  ])('%s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });
});

describe('depths', () => {
  it('grow along every edge', () => {
    for (const seed of seeds) {
      const document = generate(seed);
      const known = depths(document);
      for (const edge of edges(document)) {
        const source = edge.kind === 'data' ? edge.source.step : edge.source;
        expect(known.get(edge.target)).toBeGreaterThan(known.get(source)!);
      }
    }
  });

  it('end where steps wait for each other', () => {
    const steps = {
      a: { notebook: 'a', after: ['b'] },
      b: { notebook: 'b', after: ['a'] }
    };
    expect(depths({ name: 'x', steps }).size).toBe(2);
  });
});

/** Found in another way than by the code under test: steps that can start are taken away until none is left. */
function hasCycle(document: Workflow): boolean {
  let left = Object.keys(document.steps!);
  const all = edges(document);
  for (;;) {
    const ready = left.filter(
      name =>
        !all.some(
          edge =>
            edge.target === name &&
            left.includes(edge.kind === 'data' ? edge.source.step : edge.source)
        )
    );
    if (!ready.length) {
      return left.length > 0;
    }
    left = left.filter(name => !ready.includes(name));
  }
}
