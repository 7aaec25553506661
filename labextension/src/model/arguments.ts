/** The ways in which an input can be given its value, and how a value passes from one to another. */
import type { Argument, JSONValue } from './types';
import { isExpression, isFirst, isReference } from './types';
import { parseReference } from './graph';
import { fromArgument, toArgument } from './values';

export type ArgumentMode = 'literal' | 'source' | 'first' | 'expression';

export function modeOf(argument: Argument): ArgumentMode {
  if (isReference(argument)) {
    return 'source';
  }
  if (isFirst(argument)) {
    return 'first';
  }
  return isExpression(argument) ? 'expression' : 'literal';
}

/** The same value given in another way; undefined if it cannot be given so. */
export function switched(
  argument: Argument | undefined,
  mode: ArgumentMode
): Argument | undefined {
  if (argument === undefined || modeOf(argument) === mode) {
    return argument;
  }
  switch (mode) {
    case 'first':
      return { first: [argument] };
    case 'expression': {
      const expr = expressionOf(argument);
      return expr === null ? undefined : { expr };
    }
    case 'source':
      return sourceOf(argument);
    case 'literal':
      return literalOf(argument);
  }
}

function expressionOf(argument: Argument): string | null {
  if (isReference(argument)) {
    return pathOf(String(argument.from));
  }
  if (isFirst(argument)) {
    const [only] = argument.first;
    return only === undefined ? null : expressionOf(only);
  }
  return isExpression(argument)
    ? String(argument.expr)
    : // What JSON writes is CEL.
      JSON.stringify(fromArgument(argument));
}

/** A reference as an expression writes it. */
function pathOf(reference: string): string {
  const source = parseReference(reference);
  if (!source || source.kind === 'item') {
    return reference;
  }
  const parts =
    source.kind === 'params'
      ? ['params', source.name]
      : ['steps', source.step, source.kind, source.name];
  return parts.map((part, at) => (at ? memberOf(part) : part)).join('');
}

/** A name behind an expression: `.rate`, or `['my-rate']`. */
export function memberOf(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
    ? `.${name}`
    : `['${name.replace(/[\\']/g, '\\$&')}']`;
}

function sourceOf(argument: Argument): Argument | undefined {
  if (isFirst(argument)) {
    return argument.first.find(each => isReference(each));
  }
  if (!isExpression(argument)) {
    return undefined;
  }
  const from = String(argument.expr)
    .trim()
    .replace(/\['([^'\\]*)'\]/g, '.$1');
  return parseReference(from) && !/[^\w.-]/.test(from) ? { from } : undefined;
}

function literalOf(argument: Argument): Argument | undefined {
  if (isFirst(argument)) {
    return argument.first.find(each => modeOf(each) === 'literal');
  }
  if (!isExpression(argument)) {
    return undefined;
  }
  try {
    return toArgument(JSON.parse(String(argument.expr)) as JSONValue);
  } catch {
    return undefined;
  }
}
