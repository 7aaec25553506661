import { describe, expect, it } from 'vitest';
import {
  addFormField,
  formFields,
  moveFormField,
  removeFormField,
  renameFormField,
  setFormField
} from './formSchema';
import { moveKey, renameKey } from './items';
import { executingStep, handedOn, withPersonField } from './kinds';
import { addOutput, removeOutput, renameOutput } from './outputs';
import { portsOf } from './ports';
import { addScene, removeScene, renameScene, setInScene } from './scenes';
import type { JSONObject, Workflow } from './types';

/** A form with much that the editor does not know. */
const FORM: JSONObject = {
  type: 'object',
  additionalProperties: false,
  properties: {
    reason: { type: 'string', title: 'Reason', maxLength: 80 },
    address: { type: 'object', properties: { city: { type: 'string' } } },
    level: { enum: ['low', 'high'], description: 'How bad it is' },
    count: { type: 'integer', minimum: 1 },
    __proto__x: { type: ['string', 'null'] }
  },
  required: ['reason']
};

describe('a form', () => {
  it('is a list of fields, as far as it is known', () => {
    expect(
      formFields(FORM).map(({ name, type, required }) => [name, type, required])
    ).toEqual([
      ['reason', 'text', true],
      ['address', null, false],
      ['level', 'choice', false],
      ['count', 'whole', false],
      ['__proto__x', null, false]
    ]);
    expect(formFields(undefined)).toEqual([]);
    expect(formFields({ properties: [1], required: 'x' })).toEqual([]);
    expect(formFields({ properties: { a: true } })[0].type).toBeNull();
  });

  it('keeps what is not known of it, whatever is changed', () => {
    const { additionalProperties, properties } = FORM;
    const { address, level } = properties as JSONObject;
    const edits = [
      addFormField(FORM),
      removeFormField(FORM, 'reason'),
      renameFormField(FORM, 'reason', 'why'),
      moveFormField(FORM, 'reason', 2),
      setFormField(FORM, 'count', { type: 'text' }),
      setFormField(FORM, 'level', { title: 'Level', required: true })
    ];
    for (const edited of edits) {
      const found = edited.properties as JSONObject;
      expect(edited.additionalProperties).toBe(additionalProperties);
      expect(found.address).toEqual(address);
      expect(found.level).toMatchObject(level as JSONObject);
    }
    expect(FORM.required).toEqual(['reason']);
  });

  it('keeps `required` true to its fields', () => {
    expect(renameFormField(FORM, 'reason', 'why').required).toEqual(['why']);
    expect(removeFormField(FORM, 'reason')).not.toHaveProperty('required');
    const all = setFormField(FORM, 'count', { required: true });
    expect(all.required).toEqual(['reason', 'count']);
    const one = setFormField(all, 'reason', { required: false });
    expect(one.required).toEqual(['count']);
  });

  it('leaves nothing of an old type', () => {
    const choice = setFormField(FORM, 'count', {
      type: 'choice',
      choices: ['a', 'b']
    });
    expect((choice.properties as JSONObject).count).toEqual({
      type: 'string',
      enum: ['a', 'b']
    });
    const text = setFormField(FORM, 'reason', { type: 'whole' });
    expect((text.properties as JSONObject).reason).toEqual({
      type: 'integer',
      title: 'Reason'
    });
  });

  it('grows from nothing', () => {
    expect(addFormField(null)).toEqual({
      type: 'object',
      properties: { field: { type: 'string' } }
    });
    expect(
      formFields(addFormField(addFormField(null))).map(({ name }) => name)
    ).toEqual(['field', 'field_2']);
  });
});

describe('a person step', () => {
  it('drops what its answer can no longer be', () => {
    const person = {
      message: 'Why?',
      form: FORM,
      deadline: '2d',
      default: { reason: 'none' }
    };
    expect(withPersonField(person, 'form', undefined)).toEqual({
      message: 'Why?',
      deadline: '2d'
    });
    expect(withPersonField(person, 'deadline', '')).toEqual({
      message: 'Why?',
      form: FORM
    });
    expect(withPersonField(person, 'role', 'manager').role).toBe('manager');
  });

  it('hands on its fields and the decision', () => {
    const step = { person: { message: 'Why?', form: FORM } };
    expect(handedOn(step)?.outputs).toEqual([
      'reason',
      'address',
      'level',
      'count',
      '__proto__x',
      'decision',
      'comment',
      'by'
    ]);
    expect(handedOn({ notebook: 'a.ipynb' })).toBeNull();
  });

  it('has ports for what it hands on; others that are taken are wrong', () => {
    const document: Workflow = {
      name: 'w',
      steps: { ask: { person: { message: 'Go on?' } } }
    };
    const taken = [
      { kind: 'outputs' as const, step: 'ask', name: 'decision' },
      { kind: 'outputs' as const, step: 'ask', name: 'gone' }
    ];
    const { outputs } = portsOf(document, 'ask', undefined, taken);
    expect(outputs.map(({ name, isDangling }) => [name, isDangling])).toEqual([
      ['decision', false],
      ['comment', false],
      ['by', false],
      ['gone', true]
    ]);
  });
});

describe('a new step', () => {
  it.each([
    ['notebook', '../a/my data.ipynb', 'my data'],
    ['workflow', 'flows/other.mlwf', 'other'],
    ['workflow', 'churn@1.2.0', 'churn']
  ] as const)('is called after the %s %s', (kind, path, wish) => {
    expect(executingStep(kind, path)).toEqual({ step: { [kind]: path }, wish });
  });
});

const DOCUMENT: Workflow = {
  name: 'w',
  steps: {
    a: { notebook: 'a.ipynb' },
    b: { notebook: 'b.ipynb' },
    c: { notebook: 'c.ipynb' }
  }
};

describe('scenes', () => {
  it('come and go without a trace', () => {
    const { document, name } = addScene(DOCUMENT, ['c', 'a']);
    expect(document.scenes).toEqual({ scene: ['a', 'c'] });
    expect(removeScene(document, name)).toEqual(DOCUMENT);
  });

  it('have their steps in the order of the document, and lose no strange ones', () => {
    const strange: Workflow = { ...DOCUMENT, scenes: { s: ['gone', 'c'] } };
    const more = setInScene(strange, 's', 'a', true);
    expect(more.scenes).toEqual({ s: ['a', 'c', 'gone'] });
    const less = setInScene(more, 's', 'gone', false);
    expect(less.scenes).toEqual({ s: ['a', 'c'] });
    expect(setInScene(less, 's', 'a', true)).toEqual(less);
  });

  it('are renamed where they stand', () => {
    const two = addScene(addScene(DOCUMENT, []).document, ['b']).document;
    expect(Object.keys(two.scenes!)).toEqual(['scene', 'scene_2']);
    const renamed = renameScene(two, 'scene', 'training');
    expect(Object.keys(renamed.scenes!)).toEqual(['training', 'scene_2']);
  });
});

describe('outputs of the workflow', () => {
  it('come, are renamed, and go', () => {
    const from = { from: 'steps.a.outputs.x' };
    const { document, name } = addOutput(DOCUMENT, from, 'x');
    const renamed = renameOutput(document, name, 'result');
    expect(renamed.outputs).toEqual({ result: from });
    expect(removeOutput(renamed, 'result')).toEqual(DOCUMENT);
  });
});

describe('the order of items', () => {
  const items = { a: 1, b: 2, c: 3 };

  it('changes by moving, within its ends', () => {
    const order = (by: number) => Object.keys(moveKey(items, 'b', by)).join('');
    expect([-9, -1, 0, 1, 9].map(order)).toEqual([
      'bac',
      'bac',
      'abc',
      'acb',
      'acb'
    ]);
    expect(moveKey(items, 'gone', 1)).toEqual(items);
  });

  it('stays when one is renamed', () => {
    expect(Object.keys(renameKey(items, 'b', '__proto__'))).toEqual([
      'a',
      '__proto__',
      'c'
    ]);
  });
});
