/** Definitions of the parameters of a workflow, as people write them. */
import { renameParameter } from './edits';
import { moveKey, omit, withField } from './items';
import type { JSONValue, Parameter, ParameterType, Workflow } from './types';
import { readValue, showValue } from './values';

export const PARAMETER_TYPES: readonly ParameterType[] = [
  'str',
  'int',
  'float',
  'bool',
  'enum',
  'list',
  'json',
  'path',
  'secret'
];

/** What a definition says that only some types can have. */
const ONLY_FOR: { [field: string]: readonly ParameterType[] } = {
  min: ['int', 'float'],
  max: ['int', 'float'],
  pattern: ['str', 'path'],
  choices: ['str', 'int', 'float', 'enum', 'list', 'json', 'path']
};

const FIRST_CHOICES = ['a', 'b'];

/** Whether a definition of a type can have a field. */
export function canHave(type: ParameterType, field: string): boolean {
  return ONLY_FOR[field]?.includes(type) ?? true;
}

/** A parameter with one field changed. What a new type cannot have goes. Defaults are not written. */
export function withParameterField(
  parameter: Parameter,
  field: string,
  value: JSONValue | undefined
): Parameter {
  const isDefault =
    (field === 'ask' && value === 'start') ||
    (field === 'optional' && value === false);
  const changed = withField(parameter, field, isDefault ? undefined : value);
  return field === 'type'
    ? withType(changed, parameter.type, value as ParameterType)
    : changed;
}

function withType(
  parameter: Parameter,
  from: ParameterType,
  to: ParameterType
): Parameter {
  const foreign = Object.keys(ONLY_FOR).filter(field => !canHave(to, field));
  let changed = omit(
    parameter as { [field: string]: unknown },
    new Set(foreign)
  );
  const choices = (Array.isArray(parameter.choices) ? parameter.choices : [])
    .map(choice => converted(choice as JSONValue, from, to))
    .filter(choice => choice !== undefined);
  if (canHave(to, 'choices')) {
    const fallback = to === 'enum' ? FIRST_CHOICES : [];
    const kept = choices.length ? choices : fallback;
    changed = withField(changed, 'choices', kept);
  }
  const { default: old } = parameter;
  if (old !== undefined && old !== null) {
    changed = withField(
      changed,
      'default',
      converted(old as JSONValue, from, to)
    );
  }
  const allowed = changed.choices as JSONValue[] | undefined;
  if (to === 'enum' && !allowed?.includes(changed.default as JSONValue)) {
    delete changed.default;
  }
  return changed as Parameter;
}

/** A value of one type as one of another; undefined if it is none. A value never becomes a reference to a secret. */
function converted(
  value: JSONValue,
  from: ParameterType,
  to: ParameterType
): JSONValue | undefined {
  if (to === 'secret' || from === 'secret') {
    return undefined;
  }
  const { value: read, complaint } = readValue(showValue(value, from), to);
  return complaint === null ? read : undefined;
}

const SECRET =
  /^(env:[A-Za-z_][A-Za-z0-9_]{0,255}|keyring:[^\0-\x1f\x7f]{1,500}\/[^/\0-\x1f\x7f]{1,500}|file:~?\/[^\0-\x1f\x7f]{1,1000})$/; // eslint-disable-line no-control-regex

/** Why a text is no reference to a secret, in words; null if it is one, or empty. As `core/secrets.py` has it. */
export function complainSecret(text: string): string | null {
  return !text || SECRET.test(text)
    ? null
    : 'Say where the secret is kept, not the secret: env:NAME, keyring:SERVICE/USER or file:/PATH.';
}

/** Put a parameter some places further down, or with a negative number further up. */
export function moveParameter(
  document: Workflow,
  name: string,
  by: number
): Workflow {
  return {
    ...document,
    parameters: moveKey(document.parameters ?? {}, name, by)
  };
}

/** Who uses a parameter: names of steps, and of outputs of the workflow. */
export function parameterUsers(
  document: Workflow,
  name: string
): { steps: string[]; outputs: string[] } {
  // What a renaming would change is what uses it: there is one list of the places where a name can stand.
  const renamed = renameParameter(document, name, `${name}'`);
  const changed = (old: object = {}, other: object = {}) => {
    const after = other as { [key: string]: unknown };
    return Object.entries(old)
      .filter(
        ([key, each]) => JSON.stringify(each) !== JSON.stringify(after[key])
      )
      .map(([key]) => key);
  };
  return {
    steps: changed(document.steps, renamed.steps),
    outputs: changed(document.outputs, renamed.outputs)
  };
}

/** Choices as text: with commas between them, or a JSON list where commas are part of them. */
export function showChoices(choices: JSONValue[], type: ParameterType): string {
  const texts = choices.map(choice => showValue(choice, type));
  const isPlain = texts.every(text => text === text.trim() && text !== '');
  return isPlain && !texts.some(text => /[,[]/.test(text))
    ? texts.join(', ')
    : JSON.stringify(choices);
}

export function readChoices(
  text: string,
  type: ParameterType
): { choices: JSONValue[] | undefined; complaint: string | null } {
  if (!text.trim()) {
    return { choices: undefined, complaint: null };
  }
  if (text.trim().startsWith('[')) {
    const { value, complaint } = readValue(text, 'list');
    return { choices: value as JSONValue[], complaint };
  }
  const read = text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
    .map(part => readValue(part, type));
  return {
    choices: read.map(({ value }) => value as JSONValue),
    complaint: read.find(({ complaint }) => complaint)?.complaint ?? null
  };
}
