/** Text of a `.mlwf` file to a document and back, as `core/codec.py` does it. */
import { scan } from './scan';
import { FORMAT, checkShape } from './shape';
import type { JSONObject, JSONValue, Problem, Workflow } from './types';
import { isObject } from './types';

/** A document that can be edited, or why it cannot. */
export type Reading =
  | { document: Workflow; problems: null }
  | { document: null; problems: Problem[] };

/**
 * Read a document. What it holds beyond its form (unknown keys, names, references) is for the server to judge
 * and is kept; a text that would not come back as it is, or not be drawn, is refused.
 */
export function parse(text: string): Reading {
  const plain = text.replace(/^\ufeff/, '');
  if (!plain.trim()) {
    return { document: null, problems: [EMPTY] };
  }
  let data: JSONValue;
  try {
    data = JSON.parse(plain) as JSONValue;
  } catch (error) {
    return { document: null, problems: [notJSON(plain, error as SyntaxError)] };
  }
  const problems = [...scan(plain), ...checkShape(data)];
  return problems.length
    ? { document: null, problems }
    : { document: data as unknown as Workflow, problems: null };
}

/** Write a document: a property a line, positions last, the same text for the same document. */
export function write(document: Workflow): string {
  return `${writeValue(arrange(document as unknown as JSONObject), '')}\n`;
}

const EMPTY: Problem = {
  code: 'not-json',
  place: '',
  message: 'The file is empty.',
  mend: 'Write a workflow into it, or make a new one.'
};

/** The text of a new, empty workflow. */
export function newDocument(name: string): string {
  return write({ mlwf: FORMAT, name, steps: {} });
}

const WORKFLOW_KEYS = [
  'mlwf',
  'name',
  'title',
  'parameters',
  'max_parallel',
  'storage',
  'steps',
  'scenes',
  'outputs',
  'groups',
  'notes'
];
const STEP_KEYS = [
  'title',
  'notebook',
  'workflow',
  'person',
  'label',
  'parameters',
  'after',
  'when',
  'run_if',
  'foreach',
  'max_parallel',
  'muted',
  'allow_failure',
  'checks',
  'environment',
  'kernel',
  'retries',
  'timeout',
  'resources',
  'files',
  'cache'
];
/** Of the parts of a step that are objects themselves. */
const PART_KEYS: { [part: string]: string[] } = {
  retries: ['count', 'delay', 'backoff', 'on'],
  resources: ['cpus', 'memory', 'gpus'],
  person: ['message', 'role', 'form', 'deadline', 'default'],
  label: ['items', 'classes', 'many', 'message', 'role']
};
const PARAMETER_KEYS = [
  'type',
  'title',
  'help',
  'default',
  'min',
  'max',
  'pattern',
  'choices',
  'ask',
  'optional'
];

const GROUP_KEYS = ['title', 'steps'];
const NOTE_KEYS = ['text', 'at', 'size'];

function arrange(document: JSONObject): JSONObject {
  const { layout, ...rest } = document;
  const arranged: JSONObject = sorted({ mlwf: FORMAT, ...rest }, WORKFLOW_KEYS);
  if (isObject(arranged.parameters)) {
    arranged.parameters = arrangeItems(arranged.parameters, PARAMETER_KEYS);
  }
  if (isObject(arranged.steps)) {
    arranged.steps = arrangeItems(arranged.steps, STEP_KEYS, PART_KEYS);
  }
  if (isObject(arranged.groups)) {
    arranged.groups = arrangeItems(arranged.groups, GROUP_KEYS);
  }
  if (isObject(arranged.notes)) {
    arranged.notes = arrangeItems(arranged.notes, NOTE_KEYS);
  }
  return layout === undefined ? arranged : { ...arranged, layout };
}

function arrangeItems(
  items: JSONObject,
  keys: string[],
  parts: { [part: string]: string[] } = {}
): JSONObject {
  return Object.fromEntries(
    Object.entries(items).map(([name, item]) => [
      name,
      isObject(item) ? arrangeItem(item, keys, parts) : item
    ])
  );
}

function arrangeItem(
  item: JSONObject,
  keys: string[],
  parts: { [part: string]: string[] }
): JSONObject {
  const arranged = sorted(item, keys);
  for (const [part, inner] of Object.entries(parts)) {
    const value = arranged[part];
    if (isObject(value)) {
      arranged[part] = sorted(value, inner);
    }
  }
  return arranged;
}

function sorted(object: JSONObject, keys: string[]): JSONObject {
  const known = keys.filter(key => object[key] !== undefined);
  const others = Object.keys(object).filter(key => !keys.includes(key));
  return Object.fromEntries(
    [...known, ...others].map(key => [key, object[key]])
  );
}

function writeValue(value: JSONValue, indent: string): string {
  if (typeof value !== 'object' || value === null) {
    return JSON.stringify(value);
  }
  const isList = Array.isArray(value);
  const inner = `${indent}  `;
  const children = isList ? value : Object.values(value);
  const items = isList
    ? value.map(item => writeValue(item, inner))
    : Object.entries(value).map(
        ([key, item]) => `${JSON.stringify(key)}: ${writeValue(item, inner)}`
      );
  const [opening, closing] = isList ? '[]' : '{}';
  const isFlat = !children.some(
    child => typeof child === 'object' && child !== null
  );
  if (isFlat && (isList || items.length <= 1)) {
    return opening + items.join(', ') + closing;
  }
  return `${opening}\n${inner}${items.join(`,\n${inner}`)}\n${indent}${closing}`;
}

function notJSON(text: string, error: SyntaxError): Problem {
  // Engines differ in whether and how they say where: "at position 12" or "line 3 column 5".
  const position = /position (\d+)/.exec(error.message);
  const lineColumn = /line (\d+) column (\d+)/.exec(error.message);
  let place = '';
  if (lineColumn) {
    place = `line ${lineColumn[1]}, column ${lineColumn[2]}`;
  } else if (position) {
    const lines = text.slice(0, Number(position[1])).split('\n');
    place = `line ${lines.length}, column ${lines[lines.length - 1].length + 1}`;
  }
  return {
    code: 'not-json',
    place,
    message: 'The file is not JSON.',
    mend: 'Mend the text there.'
  };
}
