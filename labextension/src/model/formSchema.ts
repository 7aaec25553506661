/** The form of a person step as a list of fields, over the JSON Schema that the document has. What is not known of it is kept. */
import type { Items } from './items';
import { moveKey, omit, renameKey, withField } from './items';
import { freshName } from './names';
import type { JSONObject, JSONValue } from './types';
import { isObject } from './types';

export type FormFieldType =
  'text' | 'whole' | 'number' | 'yesno' | 'choice' | 'list';

export interface IFormField {
  name: string;
  /** Null if the schema says more than one of the types. */
  type: FormFieldType | null;
  title: string;
  required: boolean;
  /** Of a choice. */
  choices: string[];
}

const TYPES: { [type in FormFieldType]: JSONObject } = {
  text: { type: 'string' },
  whole: { type: 'integer' },
  number: { type: 'number' },
  yesno: { type: 'boolean' },
  choice: { type: 'string', enum: ['yes', 'no'] },
  list: { type: 'array', items: { type: 'string' } }
};

/** Keywords that belong to a type, and go with it. */
const OF_TYPES = new Set([
  'type',
  'enum',
  'items',
  'default',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'pattern',
  'format'
]);

type Form = JSONObject | { [key: string]: unknown } | null | undefined;

function propertiesOf(form: Form): Items<JSONValue> {
  return isObject(form?.properties) ? form.properties : {};
}

function requiredOf(form: Form): string[] {
  return Array.isArray(form?.required) ? (form.required as string[]) : [];
}

/** The fields of a form, in their order. */
export function formFields(form: Form): IFormField[] {
  const required = new Set(requiredOf(form));
  return Object.entries(propertiesOf(form)).map(([name, property]) => {
    const { title, enum: choices } = isObject(property)
      ? property
      : ({} as JSONObject);
    return {
      name,
      type: typeOf(property),
      title: typeof title === 'string' ? title : '',
      required: required.has(name),
      choices: isTexts(choices) ? choices : []
    };
  });
}

function typeOf(property: JSONValue): FormFieldType | null {
  if (!isObject(property)) {
    return null;
  }
  const { type, enum: choices, items } = property;
  if (choices !== undefined) {
    return isTexts(choices) && (type === undefined || type === 'string')
      ? 'choice'
      : null;
  }
  switch (type) {
    case 'string':
      return 'text';
    case 'integer':
      return 'whole';
    case 'number':
      return 'number';
    case 'boolean':
      return 'yesno';
    case 'array':
      return isObject(items) && items.type === 'string' ? 'list' : null;
    default:
      return null;
  }
}

function isTexts(value: JSONValue | undefined): value is string[] {
  return Array.isArray(value) && value.every(each => typeof each === 'string');
}

/** Add a field of text under a fresh name. */
export function addFormField(form: Form): JSONObject {
  const properties = propertiesOf(form);
  const name = freshName('field', Object.keys(properties));
  return rebuilt(form, { ...properties, [name]: TYPES.text }, requiredOf(form));
}

export function removeFormField(form: Form, name: string): JSONObject {
  return rebuilt(
    form,
    omit(propertiesOf(form), new Set([name])),
    requiredOf(form).filter(each => each !== name)
  );
}

export function moveFormField(
  form: Form,
  name: string,
  by: number
): JSONObject {
  return rebuilt(form, moveKey(propertiesOf(form), name, by), requiredOf(form));
}

export function renameFormField(
  form: Form,
  from: string,
  to: string
): JSONObject {
  return rebuilt(
    form,
    renameKey(propertiesOf(form), from, to),
    requiredOf(form).map(each => (each === from ? to : each))
  );
}

/** Change what a field is, its title, whether it is required, or its choices. */
export function setFormField(
  form: Form,
  name: string,
  fields: Partial<Omit<IFormField, 'name'>>
): JSONObject {
  const properties = propertiesOf(form);
  const old = properties[name];
  let property: JSONObject = isObject(old) ? old : {};
  let required = requiredOf(form);
  if (fields.type) {
    property = { ...omit(property, OF_TYPES), ...TYPES[fields.type] };
  }
  if (fields.title !== undefined) {
    property = withField(property, 'title', fields.title);
  }
  if (fields.choices) {
    property = { ...property, enum: fields.choices };
  }
  if (fields.required !== undefined) {
    required = required.filter(each => each !== name);
    required = fields.required ? [...required, name] : required;
  }
  return rebuilt(form, { ...properties, [name]: property }, required);
}

function rebuilt(
  form: Form,
  properties: Items<JSONValue>,
  required: string[]
): JSONObject {
  const rest = (form ?? {}) as JSONObject;
  return withField(
    { type: 'object', ...rest, properties },
    'required',
    required
  );
}
