import type { Problem } from './types';

export const MAX_DEPTH = 64;

const TOKEN = /"(?:[^"\\]|\\.)*"|[[\]{},]|-?\d[\d.eE+-]*/g;
const INTEGER = /^-?\d+$/;

interface IFrame {
  /** Keys seen so far; null in a list. */
  keys: Set<string> | null;
  place: string;
  key: string;
  index: number;
}

/**
 * What `JSON.parse` takes without a word, though writing the data back would lose some of it: keys given
 * twice, numbers that JavaScript cannot hold, and nesting that the server refuses.
 *
 * @param text - JSON that `JSON.parse` has read.
 */
export function scan(text: string): Problem[] {
  const problems: Problem[] = [];
  const stack: IFrame[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const token = match[0];
    const top = stack[stack.length - 1];
    if (token === '{' || token === '[') {
      if (stack.length === MAX_DEPTH) {
        return [tooDeep(text, match.index)];
      }
      const keys = token === '{' ? new Set<string>() : null;
      stack.push({ keys, place: top ? placeOf(top) : '', key: '', index: 0 });
    } else if (token === '}' || token === ']') {
      stack.pop();
    } else if (token === ',') {
      top.index++;
      top.key = '';
    } else if (token.startsWith('"')) {
      if (top?.keys && !top.key) {
        top.key = JSON.parse(token) as string;
        if (top.keys.has(top.key)) {
          problems.push(duplicate(top));
        }
        top.keys.add(top.key);
      }
    } else if (!isExact(token)) {
      problems.push(inexact(token, top ? placeOf(top) : ''));
    }
  }
  return problems;
}

function isExact(token: string): boolean {
  const number = Number(token);
  if (!Number.isFinite(number)) {
    return false;
  }
  return !INTEGER.test(token) || BigInt(token) === BigInt(number);
}

function placeOf(frame: IFrame): string {
  const last = frame.keys ? frame.key : String(frame.index);
  return frame.place ? `${frame.place}.${last}` : last;
}

function duplicate(frame: IFrame): Problem {
  return {
    code: 'duplicate-key',
    place: placeOf(frame),
    message: `The key '${frame.key}' is given twice.`,
    mend: 'Keep one of the two.'
  };
}

function inexact(token: string, place: string): Problem {
  const shown = token.length > 30 ? `${token.slice(0, 27)}...` : token;
  return {
    code: 'not-finite',
    place,
    message: `${shown} is a number that the editor cannot hold.`,
    mend: 'Write a smaller number, or text.'
  };
}

function tooDeep(text: string, index: number): Problem {
  const line = text.slice(0, index).split('\n').length;
  return {
    code: 'too-deep',
    place: `line ${line}`,
    message: `The file is nested more than ${MAX_DEPTH} levels deep.`,
    mend: 'Put deep data into a file of its own.'
  };
}
