/** What went wrong with an expression, in the words of `core/expressions.py`. */
import { ParseError, type EvaluationError } from '@marcbachmann/cel-js';
import type { JSONValue } from '../model/types';

/** An expression that cannot be evaluated; the text is a sentence that says why. */
export class BadExpression extends Error {}

export function short(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}

/** Why an expression cannot be parsed. */
export function wordsOfParser(error: unknown, text: string): BadExpression {
  if (!(error instanceof ParseError)) {
    throw error;
  }
  const at = error.range?.start ?? 0;
  const before = text.slice(0, at).split('\n');
  const place = `(line ${before.length}, column ${before[before.length - 1].length + 1})`;
  const rest = text.slice(at);
  const word = /^(\w+|.)/s.exec(rest)?.[0] ?? '';
  const missing = /^Expected (RPAREN|RBRACKET|RBRACE), got EOF/.exec(
    error.summary
  );
  let said = `it has no use for '${word}'`;
  if (missing) {
    const sign = { RPAREN: ')', RBRACKET: ']', RBRACE: '}' }[missing[1]]!;
    said = `missing '${sign}' at its end`;
  } else if (!rest.trim()) {
    said = 'it ends too early';
  } else if (
    ['unexpected_character', 'unterminated_string'].includes(error.code)
  ) {
    said = `there is no sense in '${word}'`;
  } else if (!error.code.startsWith('unexpected')) {
    said = error.summary.replace(/\.$/, '');
    said = said[0].toLowerCase() + said.slice(1);
  }
  return new BadExpression(
    `\`${short(text)}\` is not a CEL expression: ${said} ${place}.`
  );
}

/** Why an expression has no value. */
export function wordsOf(error: unknown, text: string): BadExpression {
  const { code, summary } = error as EvaluationError;
  if (code === undefined) {
    // A function of JavaScript that has no use for a value, such as a time zone.
    return cannot(text, (error as Error).message.replace(/\.$/, ''));
  }
  if (code === 'no_such_key') {
    const key = summary.replace('No such key: ', '');
    return new BadExpression(
      `There is no '${key}' in what \`${short(text)}\` looks at.`
    );
  }
  return cannot(text, reasonOf(code, summary));
}

export function cannot(text: string, reason: string): BadExpression {
  return new BadExpression(
    `\`${short(text)}\` cannot be evaluated: ${reason}.`
  );
}

const NO_OVERLOAD =
  'No such overload: the operation is not defined for the given operand types';

function reasonOf(code: string, summary: string): string {
  const said = summary.replace(/dyn<(\w+)>/g, '$1').replace(/mine_/g, '');
  const index = /index out of bounds, index (-?\d+)/.exec(said);
  const sum = /^no such overload: (\S+) [-+*/%] (\S+)$/.exec(said);
  const call = /^found no matching overload for '(?:[^('.]*\.)?(\w+)\(/.exec(
    said
  );
  if (index) {
    return `index out of bounds: ${index[1]}`;
  }
  if (sum) {
    return `Unsupported operation: ${named(sum[1])} + ${named(sum[2])}`.replace(
      '+',
      said.split(' ')[4]
    );
  }
  if (call) {
    return `the function '${call[1]}' does not take such values`;
  }
  if (code === 'division_by_zero' || code === 'modulo_by_zero') {
    return `${code.split('_')[0]} by zero in CEL expression`;
  }
  return /no such overload|requires bool|must be bool|must return bool/i.test(
    said
  )
    ? NO_OVERLOAD
    : said.replace(/\.$/, '');
}

function named(type: string): string {
  return type === 'double' ? 'float' : type;
}

/** A value of CEL as JSON. */
export function jsonOf(value: unknown, text: string): JSONValue {
  if (typeof value === 'bigint') {
    return Number(value);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw noJSON(text, 'float');
  }
  if (
    value === null ||
    ['boolean', 'number', 'string'].includes(typeof value)
  ) {
    return value as JSONValue;
  }
  if (Array.isArray(value)) {
    return value.map(item => jsonOf(item, text));
  }
  if (Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(
      Object.entries(value as object).map(([key, item]) => [
        key,
        jsonOf(item, text)
      ])
    );
  }
  // Names of classes do not survive in what Lab loads.
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  throw noJSON(text, KINDS[tag] ?? tag);
}

const KINDS: { [tag: string]: string } = {
  Date: 'datetime',
  Uint8Array: 'bytes',
  'google.protobuf.Duration': 'timedelta'
};

export function noJSON(text: string, what: string): BadExpression {
  return new BadExpression(
    `\`${short(text)}\` gives a ${what}, which is not JSON.`
  );
}
