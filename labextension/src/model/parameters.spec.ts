import { describe, expect, it } from 'vitest';
import {
  PARAMETER_TYPES,
  canHave,
  complainSecret,
  moveParameter,
  parameterUsers,
  readChoices,
  showChoices,
  withParameterField
} from './parameters';
import type { JSONValue, Parameter, Workflow } from './types';

const FULL: Parameter = {
  type: 'float',
  title: 'Rate',
  help: 'How fast',
  default: 0.5,
  min: 0,
  max: 1,
  choices: [0.5, 1],
  ask: 'step',
  optional: true
};

describe('a definition', () => {
  it('has after a change of type only what the type can have', () => {
    for (const from of PARAMETER_TYPES) {
      const before = { ...withParameterField(FULL, 'type', from) };
      for (const to of PARAMETER_TYPES) {
        const after = withParameterField(before, 'type', to);
        expect(after.type).toBe(to);
        const foreign = Object.keys(after).filter(key => !canHave(to, key));
        expect(foreign).toEqual([]);
        expect(after).toMatchObject({ title: 'Rate', ask: 'step' });
      }
    }
  });

  it('keeps a default that is a value of the new type too', () => {
    const whole = withParameterField(
      { type: 'int', default: 3 },
      'type',
      'str'
    );
    expect(whole).toEqual({ type: 'str', default: '3' });
    expect(withParameterField(whole, 'type', 'float').default).toBe(3);
    const word: Parameter = { type: 'str', default: 'three' };
    expect(withParameterField(word, 'type', 'int')).toEqual({ type: 'int' });
  });

  it('has choices as soon as it is an enum', () => {
    const first = withParameterField({ type: 'str' }, 'type', 'enum');
    expect(first).toEqual({ type: 'enum', choices: ['a', 'b'] });
    const kept = withParameterField(
      { type: 'int', choices: [1, 2], default: 2 },
      'type',
      'enum'
    );
    expect(kept).toEqual({ type: 'enum', choices: ['1', '2'], default: '2' });
  });

  it('never takes a value for the place of a secret', () => {
    const secret: Parameter = { type: 'str', default: 'hunter2' };
    expect(withParameterField(secret, 'type', 'secret')).toEqual({
      type: 'secret'
    });
  });

  it('does not say what is so anyway', () => {
    expect(withParameterField(FULL, 'ask', 'start')).not.toHaveProperty('ask');
    expect(withParameterField(FULL, 'optional', false)).not.toHaveProperty(
      'optional'
    );
    expect(withParameterField(FULL, 'title', '')).not.toHaveProperty('title');
    expect(withParameterField(FULL, 'min', undefined)).not.toHaveProperty(
      'min'
    );
  });
});

describe('the place of a secret', () => {
  it.each(['', 'env:TOKEN', 'keyring:a/b/c', 'file:~/x', 'file:/run/x'])(
    'may be %j',
    text => expect(complainSecret(text)).toBeNull()
  );
  it.each(['hunter2', 'env:1', 'file:x', 'keyring:a', 'env:A\n'])(
    'may not be %j',
    text => expect(complainSecret(text)).toContain('env:NAME')
  );
});

describe('who uses a parameter', () => {
  const document: Workflow = {
    name: 'w',
    parameters: { rate: { type: 'float' }, rates: { type: 'list' } },
    steps: {
      a: { notebook: 'a.ipynb', parameters: { x: { from: 'params.rate' } } },
      b: { notebook: 'b.ipynb', when: 'params.rate > 0.5' },
      c: { notebook: 'c.ipynb', foreach: { from: 'params.rates' } },
      d: { notebook: 'd.ipynb', parameters: { x: { expr: 'params["rate"]' } } },
      e: { notebook: 'e.ipynb', parameters: { x: 'params.rate' } }
    },
    outputs: { best: { expr: 'params.rate * 2.0' } }
  };

  it('is told by every place where its name can stand', () => {
    expect(parameterUsers(document, 'rate')).toEqual({
      steps: ['a', 'b', 'd'],
      outputs: ['best']
    });
    expect(parameterUsers(document, 'rates').steps).toEqual(['c']);
    expect(parameterUsers(document, 'gone')).toEqual({
      steps: [],
      outputs: []
    });
  });

  it('does not depend on its place among the others', () => {
    const moved = moveParameter(document, 'rate', 1);
    expect(Object.keys(moved.parameters!)).toEqual(['rates', 'rate']);
    expect(parameterUsers(moved, 'rate')).toEqual(
      parameterUsers(document, 'rate')
    );
  });
});

describe('choices', () => {
  it.each([
    [['a', 'b'], 'str'],
    [['a, b', 'c'], 'enum'],
    [['', ' x'], 'str'],
    [[1, 2], 'int'],
    [[[1], [2, 3]], 'list'],
    [[0.5], 'float']
  ] as [JSONValue[], Parameter['type']][])(
    '%j are read as they are shown',
    (choices, type) => {
      const shown = showChoices(choices, type);
      expect(readChoices(shown, type)).toEqual({ choices, complaint: null });
    }
  );
});
