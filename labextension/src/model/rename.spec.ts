import { describe, expect, it } from 'vitest';
import { renameStep } from './edits';
import { edges } from './graph';
import type { Argument, Step, Workflow } from './types';

/** Numbers that look random, the same each time. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return below => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
}

const NAMES = ['load', 'load_2', 'tidy-up', 'a', 'ab', 'steps', 'outputs'];

/** All ways in which a step can speak of others. */
function generate(seed: number): Workflow {
  const random = generator(seed);
  const pick = <T>(items: readonly T[]): T => items[random(items.length)];
  const member = (step: string) =>
    /-/.test(step) || random(2) ? `steps['${step}']` : `steps.${step}`;
  const steps: NonNullable<Workflow['steps']> = {};
  const argument = (before: readonly string[]): Argument => {
    const step = pick(before);
    switch (random(4)) {
      case 0:
        return { from: `steps.${step}.outputs.${pick(NAMES)}` };
      case 1:
        return { from: `steps.${step}.artifacts.x.${pick(NAMES)}` };
      case 2:
        return {
          expr: `${member(step)}.outputs.y + params.${pick(NAMES).replace('-', '_')} + size('steps.${step}.outputs')`
        };
      default:
        return {
          first: [
            { from: `steps.${step}.outputs.y` },
            { expr: `${member(pick(before))}.metrics.z` },
            { value: `steps.${step}.outputs.y` }
          ]
        };
    }
  };
  NAMES.forEach((name, index) => {
    const before = NAMES.slice(0, index);
    const step: Step = { notebook: `${name}.ipynb` };
    if (before.length) {
      step.parameters = {
        one: argument(before),
        [pick(NAMES)]: argument(before)
      };
      step.after = random(2) ? [pick(before)] : undefined;
      step.when = random(2)
        ? `${member(pick(before))}.metrics.auc > 0.5 && run.id != ''`
        : undefined;
      step.foreach = random(3) ? undefined : argument(before);
      step.label = random(3)
        ? undefined
        : { items: argument(before), classes: NAMES };
    }
    steps[name] = JSON.parse(JSON.stringify(step));
  });
  return {
    mlwf: 1,
    name: 'generated',
    steps,
    outputs: { result: argument(NAMES), other: argument(NAMES) },
    scenes: { some: NAMES.filter(() => random(2)) },
    layout: { load: [0, 0], a: [1, 1] }
  };
}

describe('a step that is renamed', () => {
  it('leaves the same graph under another name, and nothing that names the old one', () => {
    for (let seed = 0; seed < 100; seed++) {
      const before = generate(seed);
      const random = generator(seed + 7);
      const from = NAMES[random(NAMES.length)];
      const to = random(2) ? 'fresh' : 'fresh-er';
      const after = renameStep(before, from, to);
      const renamed = (name: string) => (name === from ? to : name);
      const shape = (workflow: Workflow, called = (name: string) => name) =>
        edges(workflow)
          .map(edge =>
            edge.kind === 'data'
              ? JSON.stringify({
                  ...edge,
                  source: { ...edge.source, step: called(edge.source.step) },
                  target: called(edge.target)
                })
              : `${edge.kind} ${called(edge.source)} ${called(edge.target)}`
          )
          .sort();
      expect(shape(after)).toEqual(shape(before, renamed));
      expect(after.scenes!.some).toEqual(before.scenes!.some.map(renamed));
      expect(Object.keys(after.layout!)).toEqual(
        Object.keys(before.layout!).map(renamed)
      );
      // Outputs of the workflow are no edges: as inputs of a step they would be.
      const asStep = ({ outputs, steps }: Workflow): Workflow => ({
        name: 'x',
        steps: { ...steps, out: { notebook: 'out', parameters: outputs } }
      });
      expect(shape(asStep(after))).toEqual(shape(asStep(before), renamed));
      expect(shape(renameStep(after, to, from))).toEqual(shape(before));
    }
  });
});
