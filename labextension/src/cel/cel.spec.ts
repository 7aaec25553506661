import { describe, expect, it } from 'vitest';
import { readFileSync } from 'node:fs';
import { FUNCTIONS, celValue, complainExpression, evaluate } from './cel';
import { namesIn } from '../model/expressions';
import type { JSONValue } from '../model/types';

interface ICase {
  expression: string;
  uses?: { steps: string[]; params: string[] };
  value?: JSONValue;
  error?: string;
  refused?: string;
}

const table = JSON.parse(
  readFileSync('../tests/contract/expressions.json', 'utf-8')
) as { variables: { [name: string]: JSONValue }; cases: ICase[] };
const variables = celValue(table.variables) as { [name: string]: unknown };

/** What comes before the words of the parser, or of the library: those differ. */
function ours(sentence: string): string {
  return sentence.replace(
    /(is not a CEL expression|cannot be evaluated): .*$/s,
    '$1'
  );
}

describe('the cases of the server', () => {
  it.each(table.cases)('$expression', each => {
    const { expression, uses } = each;
    const complaint = complainExpression(expression);
    if (each.refused !== undefined) {
      expect(ours(complaint ?? '')).toBe(ours(each.refused));
      return;
    }
    expect(complaint).toBeNull();
    expect(namesIn(expression, 'steps')).toEqual(uses!.steps);
    expect(namesIn(expression, 'params')).toEqual(uses!.params);
    if (each.error === undefined) {
      expect(evaluate(expression, variables)).toEqual(each.value);
      return;
    }
    let said = '';
    try {
      evaluate(expression, variables);
    } catch (error) {
      said = (error as Error).message;
    }
    expect(ours(said)).toBe(ours(each.error));
  });
});

it('knows the functions of the server', () => {
  const source = readFileSync('../jupyter_mlwf/core/expressions.py', 'utf-8');
  const tuple = /FUNCTIONS = \((.*?)\n\)/s.exec(source)![1];
  expect([...tuple.matchAll(/"(\w+)"/g)].map(match => match[1])).toEqual(
    FUNCTIONS
  );
});

it.each([
  ["params['rate'] + ", 'ends too early'],
  ['(1', "missing ')'"],
  ['params.rate ** 2', "no use for '*'"],
  ['9223372036854775808', 'invalid number']
])('says what %s lacks', (text, words) => {
  expect(complainExpression(text)).toContain(words);
});
