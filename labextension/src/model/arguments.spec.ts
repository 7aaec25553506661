import { describe, expect, it } from 'vitest';
import type { ArgumentMode } from './arguments';
import { modeOf, switched } from './arguments';
import type { Argument } from './types';

const OUTPUT = { from: 'steps.my-step.outputs.table' };

describe('switched', () => {
  it.each<[Argument | undefined, ArgumentMode, Argument | undefined]>([
    [0.25, 'expression', { expr: '0.25' }],
    ['a "b"', 'expression', { expr: '"a \\"b\\""' }],
    [{ value: { a: 1 } }, 'expression', { expr: '{"a":1}' }],
    [{ from: 'params.rate' }, 'expression', { expr: 'params.rate' }],
    [OUTPUT, 'expression', { expr: "steps['my-step'].outputs.table" }],
    [
      { from: 'steps.a.artifacts.m.pkl' },
      'expression',
      { expr: "steps.a.artifacts['m.pkl']" }
    ],
    [{ from: 'item.a' }, 'expression', { expr: 'item.a' }],
    [OUTPUT, 'first', { first: [OUTPUT] }],
    [OUTPUT, 'literal', undefined],
    [{ expr: '[1, 2]' }, 'literal', [1, 2]],
    [{ expr: '{"a": 1}' }, 'literal', { value: { a: 1 } }],
    [{ expr: 'params.rate * 2.0' }, 'literal', undefined],
    [{ expr: "steps['my-step'].outputs.table" }, 'source', OUTPUT],
    [{ expr: 'params.rate * 2.0' }, 'source', undefined],
    [{ first: [1, OUTPUT] }, 'source', OUTPUT],
    [{ first: [OUTPUT, 1] }, 'literal', 1],
    [{ first: [] }, 'expression', undefined],
    [undefined, 'expression', undefined]
  ])('gives %j as %s', (argument, mode, expected) => {
    const result = switched(argument, mode);
    expect(result).toEqual(expected);
    if (result !== undefined) {
      expect(modeOf(result)).toBe(mode);
    }
  });
});
