import type { JSONValue, Problem } from './types';
import { isObject } from './types';

/** Version of the document format that this code reads and writes. */
export const FORMAT = 1;

/** What keeps data from being drawn and edited as a workflow. `server/ydoc.py` has the same rules. */
export function checkShape(data: JSONValue): Problem[] {
  if (!isObject(data)) {
    return [
      {
        code: 'not-a-workflow',
        place: '',
        message: 'The file is not a workflow: it holds no JSON object.',
        mend: 'Open another file.'
      }
    ];
  }
  const version = data.mlwf;
  if (typeof version === 'number' && version > FORMAT) {
    return [
      {
        code: 'newer-format',
        place: 'mlwf',
        message: `The document is written in format ${version}; this version of jupyter_mlwf reads up to ${FORMAT}.`,
        mend: 'Upgrade jupyter_mlwf.'
      }
    ];
  }
  const problems: Problem[] = [];
  const want = (value: JSONValue | undefined, place: string, kind: Kind) => {
    if (value !== undefined && !KINDS[kind](value)) {
      problems.push(wrongType(value, place, kind));
    }
  };
  want(version, 'mlwf', 'the number 1');
  want(data.name, 'name', 'text');
  want(data.title, 'title', 'text or null');
  want(data.max_parallel, 'max_parallel', 'a number or null');
  want(data.storage, 'storage', 'text or null');
  if (data.name === undefined) {
    problems.push(missing('name'));
  }
  const items = (key: string) => {
    const value = data[key];
    want(value, key, 'an object');
    return Object.entries(isObject(value) ? value : {});
  };
  for (const [name, parameter] of items('parameters')) {
    want(parameter, `parameters.${name}`, 'an object');
  }
  for (const [name, step] of items('steps')) {
    const place = `steps.${name}`;
    if (!isObject(step)) {
      problems.push(wrongType(step, place, 'an object'));
      continue;
    }
    want(step.notebook, `${place}.notebook`, 'text or null');
    want(step.workflow, `${place}.workflow`, 'text or null');
    want(step.person, `${place}.person`, 'an object or null');
    want(step.label, `${place}.label`, 'an object or null');
    want(step.when, `${place}.when`, 'text or null');
    want(step.title, `${place}.title`, 'text or null');
    want(step.kernel, `${place}.kernel`, 'text or null');
    want(step.after, `${place}.after`, 'a list of texts');
    want(step.retries, `${place}.retries`, 'an object or null');
    want(step.timeout, `${place}.timeout`, 'text or null');
    want(step.resources, `${place}.resources`, 'an object');
    want(step.files, `${place}.files`, 'a list of texts');
    want(step.cache, `${place}.cache`, 'true, false or text');
    want(step.parameters, `${place}.parameters`, 'an object');
    want(step.muted, `${place}.muted`, 'true or false');
  }
  for (const [name, scene] of items('scenes')) {
    want(scene, `scenes.${name}`, 'a list of texts');
  }
  items('outputs');
  for (const [name, group] of items('groups')) {
    want(group, `groups.${name}`, 'an object');
    if (isObject(group)) {
      want(group.title, `groups.${name}.title`, 'text or null');
      want(group.steps, `groups.${name}.steps`, 'a list of texts');
    }
  }
  for (const [name, note] of items('notes')) {
    want(note, `notes.${name}`, 'an object');
    if (isObject(note)) {
      want(note.text ?? null, `notes.${name}.text`, 'text');
      want(note.at ?? null, `notes.${name}.at`, 'two numbers, [x, y]');
      want(note.size, `notes.${name}.size`, 'two numbers, [x, y]');
    }
  }
  for (const [name, position] of items('layout')) {
    want(position, `layout.${name}`, 'two numbers, [x, y]');
  }
  return problems;
}

const KINDS = {
  'the number 1': (value: JSONValue) => value === FORMAT,
  text: (value: JSONValue) => typeof value === 'string',
  'text or null': (value: JSONValue) =>
    typeof value === 'string' || value === null,
  'a number or null': (value: JSONValue) =>
    typeof value === 'number' || value === null,
  'true, false or text': (value: JSONValue) =>
    typeof value === 'boolean' || typeof value === 'string',
  'true or false': (value: JSONValue) => typeof value === 'boolean',
  'an object': isObject as (value: JSONValue) => boolean,
  'an object or null': (value: JSONValue) => isObject(value) || value === null,
  'a list of texts': (value: JSONValue) =>
    Array.isArray(value) && value.every(item => typeof item === 'string'),
  'two numbers, [x, y]': (value: JSONValue) =>
    Array.isArray(value) &&
    value.length === 2 &&
    value.every(item => typeof item === 'number')
};

type Kind = keyof typeof KINDS;

function wrongType(value: JSONValue, place: string, kind: Kind): Problem {
  const shown = JSON.stringify(value);
  return {
    code: 'wrong-type',
    place,
    message: `${shown.length > 60 ? `${shown.slice(0, 57)}...` : shown} is not ${kind}.`,
    mend: 'Correct it.'
  };
}

function missing(place: string): Problem {
  const last = place.split('.').pop();
  return {
    code: 'missing-key',
    place,
    message: `'${last}' is missing.`,
    mend: 'Add it.'
  };
}
