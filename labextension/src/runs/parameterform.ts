import type { TranslationBundle } from '@jupyterlab/translation';
import type { RJSFSchema, UiSchema } from '@rjsf/utils';
import type { Parameter } from '../api/types';

export type Parameters = Record<string, Parameter>;
export type Values = Record<string, unknown>;

const TYPES = {
  str: 'string',
  int: 'integer',
  float: 'number',
  bool: 'boolean',
  enum: 'string',
  path: 'string',
  secret: 'string'
} as const;

/** Whether a value is written as JSON text in the form. */
function isText(parameter: Parameter): boolean {
  return parameter.type === 'list' || parameter.type === 'json';
}

function isRequired(parameter: Parameter): boolean {
  const { ask, optional } = parameter;
  return parameter.default == null && !optional && ask !== 'step';
}

/** The form for parameters. Defaults are no part of it: a cleared field has to stay empty. */
export function toSchema(
  parameters: Parameters,
  trans: TranslationBundle
): RJSFSchema {
  const properties = Object.entries(parameters).map(([name, parameter]) => [
    name,
    fieldSchema(name, parameter, trans)
  ]);
  return { type: 'object', properties: Object.fromEntries(properties) };
}

function fieldSchema(
  name: string,
  parameter: Parameter,
  trans: TranslationBundle
): RJSFSchema {
  const { type, title, help, choices } = parameter;
  const label = title || name;
  const notes = [help, bounds(parameter, trans)].filter(Boolean);
  return {
    type: type === 'list' || type === 'json' ? 'string' : TYPES[type],
    title: isRequired(parameter) ? `${label} *` : label,
    description: notes.join(' '),
    ...(choices && { enum: choices.map(choice => toField(parameter, choice)) })
  } as RJSFSchema;
}

function bounds(parameter: Parameter, trans: TranslationBundle): string {
  const { type, min, max } = parameter;
  if (isText(parameter)) {
    return type === 'list' ? trans.__('A JSON list.') : trans.__('JSON.');
  }
  if (min != null && max != null) {
    return trans.__('From %1 to %2.', min, max);
  }
  if (min != null) {
    return trans.__('At least %1.', min);
  }
  return max != null ? trans.__('At most %1.', max) : '';
}

/** How the fields look. */
export function toUiSchema(parameters: Parameters): UiSchema {
  const fields = Object.entries(parameters).map(([name, parameter]) => {
    const { type, choices } = parameter;
    // A required yes or no has to be chosen: an empty check box would look like a no.
    const select = choices || (type === 'bool' && isRequired(parameter));
    const widget = select ? 'select' : isText(parameter) ? 'textarea' : '';
    return [name, widget ? { 'ui:widget': widget } : {}];
  });
  return Object.fromEntries(fields);
}

/** What the form shows at first: the values given, or else the defaults. */
export function toFields(parameters: Parameters, given: Values = {}): Values {
  const fields = Object.entries(parameters).map(([name, parameter]) => [
    name,
    toField(parameter, given[name] ?? parameter.default)
  ]);
  return Object.fromEntries(fields);
}

function toField(parameter: Parameter, value: unknown): unknown {
  if (value === null || value === undefined) {
    return undefined;
  }
  return isText(parameter) ? JSON.stringify(value) : value;
}

/** What the form holds: the values for a run, or what is wrong with the JSON text in it, by field. */
export function fromFields(
  parameters: Parameters,
  fields: Values,
  trans: TranslationBundle
): { values: Values; errors: Record<string, string> } {
  const values: Values = {};
  const errors: Record<string, string> = {};
  for (const [name, parameter] of Object.entries(parameters)) {
    const field = fields[name];
    if (field === undefined || field === null) {
      if (!isRequired(parameter)) {
        // It was cleared: that is an empty text, and otherwise no value, which is for the server to refuse.
        values[name] = parameter.type === 'str' ? '' : null;
      }
    } else if (isText(parameter)) {
      try {
        values[name] = JSON.parse(field as string);
      } catch (error) {
        errors[name] = trans.__(
          'This is not JSON: %1.',
          (error as Error).message
        );
      }
    } else {
      values[name] = field;
    }
  }
  return { values, errors };
}
