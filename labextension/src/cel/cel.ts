/**
 * Expressions in CEL with the answers of `core/expressions.py`. `tests/contract/expressions.json` holds both to the same
 * cases; where the two libraries differ, this module makes up for it. It loads with the first expression, not with Lab.
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import type { IToken } from '../model/expressions';
import { VARIABLES, membersOf, tokensOf } from '../model/expressions';
import { BadExpression, jsonOf, noJSON, short, wordsOf } from './words';
import { MINE, environment, parse } from './library';
import type { JSONValue } from '../model/types';

/** The functions of CEL, as in `core/expressions.py`. */
export const FUNCTIONS = (
  'size contains startsWith endsWith matches string int double bytes dyn timestamp duration getFullYear ' +
  'getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear getHours getMinutes getSeconds getMilliseconds'
).split(' ');

const MACROS = ['has', 'all', 'exists', 'exists_one', 'map', 'filter'];

const BIGGEST = 2n ** 63n - 1n;

/** Values as CEL has them: whole numbers are `bigint`, and any `number` has a fraction, even if it is zero. */
export type CelValue = unknown;

export type Variables = { [name: string]: CelValue };

/** JSON as CEL reads it. */
export function celValue(value: JSONValue): CelValue {
  if (typeof value === 'number') {
    return Number.isInteger(value) ? BigInt(value) : value;
  }
  if (Array.isArray(value)) {
    return value.map(celValue);
  }
  return typeof value === 'object' && value !== null
    ? Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, celValue(item)])
      )
    : value;
}

/** Why a text is no expression, in words; null if it is one. */
export function complainExpression(text: string): string | null {
  try {
    check(text);
    return null;
  } catch (error) {
    if (error instanceof BadExpression) {
      return error.message;
    }
    throw error;
  }
}

/** The value of an expression. Throws `BadExpression` if it has none. */
export function evaluate(text: string, variables: Variables): JSONValue {
  check(text);
  let value: unknown;
  try {
    value = environment.parse(rewritten(text))(variables);
  } catch (error) {
    throw wordsOf(error, text);
  }
  if (hasOtherKeys(text)) {
    throw noJSON(text, 'dict');
  }
  return jsonOf(value, text);
}

/** Whether a map has keys that are no text: the library makes text of them. */
function hasOtherKeys(text: string): boolean {
  const tokens = tokensOf(text);
  return tokens.some(
    ({ kind }, at) =>
      kind === 'number' &&
      ['{', ','].includes(tokens[at - 1]?.word) &&
      tokens[at + 1]?.word === ':'
  );
}

function check(text: string): void {
  const tokens = tokensOf(text);
  const impossible = tokens.find((token, at) =>
    isNoNumber(token, tokens[at - 1])
  );
  if (impossible) {
    throw new BadExpression(
      `\`${short(text)}\` is not a CEL expression: invalid number ${impossible.word}.`
    );
  }
  const { names, calls, refusal } = looksAt(
    parse(rebuilt(text, token => token.word))
  );
  if (refusal) {
    throw new BadExpression(`\`${short(text)}\` ${refusal}`);
  }
  const macro = new Set(
    [
      ...text.matchAll(
        /\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,/g
      )
    ].map(match => match[1])
  );
  const stranger = names.find(
    name => !VARIABLES.includes(name) && !macro.has(name)
  );
  if (stranger !== undefined) {
    throw new BadExpression(
      `'${stranger}' is not known here; expressions begin with ${VARIABLES.join(', ')}.`
    );
  }
  const unknown = calls.find(
    name => !FUNCTIONS.includes(name) && !MACROS.includes(name)
  );
  if (unknown !== undefined) {
    const near = closest(unknown);
    throw new BadExpression(
      `There is no function '${unknown}': ` +
        (near
          ? `did you mean ${near}?`
          : 'CEL has few, such as size, contains and string.')
    );
  }
  if (membersOf(text).some(({ path }) => !path.length)) {
    throw new BadExpression(
      "Steps and parameters are named, as in steps.train or steps['my-step'], not computed."
    );
  }
}

/** The function that a name resembles most, if any: two thirds of both are the same letters in the same order. */
function closest(name: string): string | undefined {
  const [best] = FUNCTIONS.map(known => ({
    known,
    likeness: (2 * common(name, known)) / (name.length + known.length)
  })).sort((a, b) => b.likeness - a.likeness);
  return best.likeness >= 0.6 ? best.known : undefined;
}

/** Length of the longest text that is left of both when letters are removed. */
function common(a: string, b: string): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const letter of a) {
    const next = [0];
    for (let at = 0; at < b.length; at++) {
      next.push(
        letter === b[at] ? row[at] + 1 : Math.max(row[at + 1], next[at])
      );
    }
    row = next;
  }
  return row[b.length];
}

/** The variables and functions that a tree names. */
function looksAt(tree: ASTNode): {
  names: string[];
  calls: string[];
  /** What the server refuses, and the library does not. */
  refusal: string | null;
} {
  let refusal: string | null = null;
  const names: string[] = [];
  const calls: string[] = [];
  const open: unknown[] = [tree];
  for (let next = open.shift(); next !== undefined; next = open.shift()) {
    if (Array.isArray(next)) {
      open.unshift(...(next as unknown[]));
    } else if (isNode(next)) {
      if (next.op === 'id') {
        names.push(next.args);
      } else if (next.op === 'call' || next.op === 'rcall') {
        calls.push(next.args[0]);
        if (
          next.op === 'call' &&
          next.args[0] === 'has' &&
          next.args[1][0]?.op !== '.'
        ) {
          refusal ??=
            'is not a CEL expression: invalid argument to has() macro.';
        }
      }
      if (next.op !== 'value' && next.op !== 'id') {
        open.unshift(next.args);
      }
    }
  }
  return { names, calls, refusal };
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value;
}

function isNoNumber({ kind, word }: IToken, before?: IToken): boolean {
  if (kind !== 'number') {
    return false;
  }
  if (/^(0x[0-9a-f]+|\d+)$/i.test(word)) {
    const limit = before?.word === '-' ? BIGGEST + 1n : BIGGEST;
    return word.startsWith('0X') || BigInt(word) > limit;
  }
  return word.endsWith('u') || !Number.isFinite(Number(word));
}

/**
 * The expression as the library answers it like the server: literals have no type of their own, so that `1 == 1.0` is
 * a question and no mistake, and some functions are ours.
 */
function rewritten(text: string): string {
  return rebuilt(text, ({ kind, word }, after) => {
    const isLiteral =
      kind === 'text' ||
      (kind === 'number' && !isBeyond(word)) ||
      (kind === 'name' && ['true', 'false', 'null'].includes(word));
    if (isLiteral) {
      return `dyn(${word})`;
    }
    return kind === 'name' && MINE.includes(word) && after === '('
      ? `mine_${word}`
      : word;
  });
}

/** The expression with some words changed; a number that begins with its point gets the zero that the library wants. */
function rebuilt(
  text: string,
  change: (token: IToken, after: string | undefined) => string
): string {
  let result = '';
  let end = 0;
  tokensOf(text).forEach((token, at, tokens) => {
    const word =
      token.kind === 'number' && token.word.startsWith('.')
        ? `0${token.word}`
        : token.word;
    result += text.slice(end, token.start);
    // A field may be called like a literal or a function.
    result +=
      tokens[at - 1]?.word === '.' &&
      token.kind !== 'number' &&
      tokens[at + 1]?.word !== '('
        ? word
        : change({ ...token, word }, tokens[at + 1]?.word);
    end = token.end;
  });
  return result + text.slice(end);
}

function isBeyond(word: string): boolean {
  return /^\d+$/.test(word) && BigInt(word) > BIGGEST;
}
