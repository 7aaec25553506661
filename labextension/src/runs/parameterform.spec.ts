import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';
import type { Parameter } from '../api/types';
import { fromFields, toFields, toSchema, toUiSchema } from './parameterform';

const trans = nullTranslator.load('');

// As the document holds them: without the keys that were not given.
const PARAMETERS = {
  rate: { type: 'float', default: 0.1, min: 0, max: 1, help: 'How fast.' },
  source: { type: 'str', title: 'Source' },
  note: { type: 'str', default: 'none' },
  rows: { type: 'int', default: 10 },
  tags: { type: 'list', default: ['a'] },
  grid: { type: 'json', choices: [{ a: 1 }, { a: 2 }], default: { a: 1 } },
  force: { type: 'bool' }
} as unknown as Record<string, Parameter>;

describe('the form for parameters', () => {
  it('says what is required, helpful and allowed', () => {
    const { properties } = toSchema(PARAMETERS, trans);
    expect(properties).toMatchObject({
      rate: {
        type: 'number',
        title: 'rate',
        description: 'How fast. From 0 to 1.'
      },
      source: { type: 'string', title: 'Source *' },
      rows: { type: 'integer' },
      grid: { type: 'string', enum: ['{"a":1}', '{"a":2}'] }
    });
    expect(toUiSchema(PARAMETERS)).toMatchObject({
      tags: { 'ui:widget': 'textarea' },
      grid: { 'ui:widget': 'select' },
      force: { 'ui:widget': 'select' }
    });
  });

  it('begins with the defaults, and gives them back', () => {
    const fields = toFields(PARAMETERS);
    expect(fields).toMatchObject({ rate: 0.1, tags: '["a"]', grid: '{"a":1}' });
    expect(fields.source).toBeUndefined();
    expect(fromFields(PARAMETERS, fields, trans)).toEqual({
      values: {
        rate: 0.1,
        note: 'none',
        rows: 10,
        tags: ['a'],
        grid: { a: 1 }
      },
      errors: {}
    });
  });

  it('begins with the values of another run', () => {
    const given = { rate: 0.5, source: 's', force: false, gone: 1 };
    const fields = toFields(PARAMETERS, given);
    expect(fields).toMatchObject({ rate: 0.5, source: 's', force: false });
    expect(fields).not.toHaveProperty('gone');
  });

  it('lets a cleared field be empty instead of its default', () => {
    const fields = {
      ...toFields(PARAMETERS),
      note: undefined,
      rows: undefined
    };
    const { values } = fromFields(PARAMETERS, fields, trans);
    expect(values).toMatchObject({ note: '', rows: null });
    expect(values).not.toHaveProperty('source');
  });

  it('finds text that is not JSON', () => {
    const fields = { ...toFields(PARAMETERS), tags: '[1,' };
    const { values, errors } = fromFields(PARAMETERS, fields, trans);
    expect(errors.tags).toMatch(/^This is not JSON: /);
    expect(values).not.toHaveProperty('tags');
  });
});
