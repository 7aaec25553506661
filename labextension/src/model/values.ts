/** Values as people write them into a field. */
import type {
  Argument,
  JSONValue,
  NotebookInput,
  ParameterType
} from './types';
import { isObject, isValue } from './types';

export type FieldType = NonNullable<NotebookInput['type']> | ParameterType;

const NOUNS: { [type in FieldType]: string } = {
  str: 'text',
  int: 'a whole number',
  float: 'a number',
  bool: 'true or false',
  list: 'a list, such as [1, 2]',
  dict: 'an object, such as {"a": 1}',
  json: 'JSON',
  enum: 'one of the choices',
  path: 'a path',
  secret: 'where a secret is kept, such as env:TOKEN'
};

/** Types whose values are written as they are. */
const TEXTS: readonly (FieldType | null)[] = ['str', 'enum', 'path', 'secret'];

/** A value, or why the text is none. */
export type Read =
  { value: JSONValue; complaint: null } | { value: null; complaint: string };

/**
 * Read what a person wrote. Where the type is not known, JSON is read as such and anything else as text.
 *
 * @param text - not empty.
 */
export function readValue(text: string, type: FieldType | null): Read {
  if (TEXTS.includes(type)) {
    return { value: text, complaint: null };
  }
  let value: JSONValue;
  try {
    value = JSON.parse(text) as JSONValue;
  } catch {
    return type === null
      ? { value: text, complaint: null }
      : { value: null, complaint: `This is not ${NOUNS[type]}.` };
  }
  return type === null || fits(value, type)
    ? { value, complaint: null }
    : { value: null, complaint: `This is not ${NOUNS[type]}.` };
}

/** The text that `readValue` reads as the value. */
export function showValue(value: JSONValue, type: FieldType | null): string {
  if (typeof value !== 'string') {
    return JSON.stringify(value);
  }
  // Without a type, text that reads as JSON would come back as something else.
  return TEXTS.includes(type) || (type === null && !isJSON(value))
    ? value
    : JSON.stringify(value);
}

function isJSON(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function fits(value: JSONValue, type: FieldType): boolean {
  switch (type) {
    case 'int':
      return Number.isInteger(value);
    case 'float':
      return typeof value === 'number';
    case 'bool':
      return typeof value === 'boolean';
    case 'list':
      return Array.isArray(value);
    case 'dict':
      return isObject(value);
    default:
      return true;
  }
}

/** A literal as the document holds it: an object is written `{"value": {...}}`. */
export function toArgument(value: JSONValue): Argument {
  return isObject(value) ? { value } : value;
}

/** The literal that an argument holds. */
export function fromArgument(argument: Argument): JSONValue {
  return (isValue(argument) ? argument.value : argument) as JSONValue;
}
