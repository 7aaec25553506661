import { Dialog, showDialog } from '@jupyterlab/apputils';
import {
  deleteIcon,
  moveDownIcon,
  moveUpIcon
} from '@jupyterlab/ui-components';
import type { RJSFSchema, UiSchema, WidgetProps } from '@rjsf/utils';
import React, { useMemo } from 'react';
import { removeParameter, renameParameter, setParameter } from '../model/edits';
import { complainName } from '../model/names';
import {
  PARAMETER_TYPES,
  canHave,
  complainSecret,
  moveParameter,
  parameterUsers,
  readChoices,
  showChoices,
  withParameterField
} from '../model/parameters';
import type {
  JSONValue,
  Parameter,
  ParameterType,
  Workflow
} from '../model/types';
import { showValue } from '../model/values';
import type { Editor } from './editor';
import { Choice, TextField, ValueField, editorOf } from './fields';
import { DocumentForm } from './form';
import { CheckWidget, ChoiceWidget, IconButton } from './moreFields';

const WIDGETS = {
  choices: ChoicesWidget,
  choice: ChoiceWidget,
  check: CheckWidget,
  default: DefaultWidget
};

/** The definition of a parameter, and what uses it. */
export function ParameterCard(props: {
  editor: Editor;
  workflow: Workflow;
  name: string;
  parameter: Parameter;
}): JSX.Element {
  const { editor, workflow, name, parameter } = props;
  const { trans } = editor;
  const { type } = parameter;
  const names = Object.keys(workflow.parameters ?? {});
  const users = useMemo(() => parameterUsers(workflow, name), [workflow, name]);
  const text = (title: string, description?: string) => ({
    type: 'string' as const,
    title,
    description
  });
  const all: NonNullable<RJSFSchema['properties']> = {
    name: text(trans.__('Name')),
    type: text(trans.__('Type')),
    choices: text(trans.__('Choices'), trans.__('with commas between them')),
    default: text(trans.__('Default')),
    min: text(trans.__('Min')),
    max: text(trans.__('Max')),
    pattern: text(trans.__('Pattern'), trans.__('a regular expression')),
    title: text(trans.__('Title')),
    help: text(trans.__('Help')),
    ask: text(trans.__('Asked')),
    optional: text(trans.__('Without a value'))
  };
  const bound = { 'ui:widget': 'value', 'ui:options': { type: 'float' } };
  const uiSchema: UiSchema = {
    name: {
      'ui:options': {
        complain: (to: string) =>
          complainName(
            to,
            names.filter(other => other !== name)
          )
      }
    },
    type: {
      'ui:widget': 'choice',
      'ui:options': { choices: typeWords(editor) }
    },
    choices: { 'ui:widget': 'choices', 'ui:options': { type } },
    default: {
      'ui:widget': 'default',
      'ui:placeholder':
        type === 'secret'
          ? 'env:NAME, keyring:SERVICE/USER, file:/PATH'
          : parameter.optional
            ? trans.__('none')
            : trans.__('none: required'),
      'ui:options': { parameter }
    },
    min: bound,
    max: bound,
    title: { 'ui:placeholder': name },
    ask: {
      'ui:widget': 'choice',
      'ui:options': {
        choices: [
          ['start', trans.__('when the run starts')],
          ['step', trans.__('when a step needs it')]
        ]
      }
    },
    optional: {
      'ui:widget': 'check',
      'ui:options': { text: trans.__('a run may leave it out') }
    }
  };
  return (
    <div className="mlwf-Card" data-parameter={name}>
      <div className="mlwf-Card-actions">
        <IconButton
          icon={moveUpIcon}
          label={trans.__('Move %1 up', name)}
          disabled={names[0] === name}
          onClick={() => editor.edit(old => moveParameter(old, name, -1))}
        />
        <IconButton
          icon={moveDownIcon}
          label={trans.__('Move %1 down', name)}
          disabled={names[names.length - 1] === name}
          onClick={() => editor.edit(old => moveParameter(old, name, 1))}
        />
        <IconButton
          icon={deleteIcon}
          label={trans.__('Remove %1', name)}
          onClick={() => void remove(editor, name, users)}
        />
      </div>
      <DocumentForm
        editor={editor}
        place={`parameters.${name}`}
        schema={{
          type: 'object',
          properties: Object.fromEntries(
            Object.entries(all).filter(([field]) => canHave(type, field))
          )
        }}
        uiSchema={uiSchema}
        widgets={WIDGETS}
        data={{
          ...parameter,
          name,
          title: parameter.title ?? '',
          help: parameter.help ?? '',
          min: parameter.min ?? undefined,
          max: parameter.max ?? undefined,
          pattern: parameter.pattern ?? '',
          ask: parameter.ask ?? 'start',
          optional: parameter.optional ?? false,
          choices: Array.isArray(parameter.choices)
            ? parameter.choices
            : undefined,
          default: parameter.default ?? undefined
        }}
        onField={(field, changed) =>
          editor.edit(old =>
            field === 'name'
              ? renameParameter(old, name, changed as string)
              : setParameter(
                  old,
                  name,
                  withParameterField(
                    parameter,
                    field,
                    changed as JSONValue | undefined
                  )
                )
          )
        }
      />
      <div className="mlwf-Chips">
        <small>
          {users.steps.length + users.outputs.length > 0
            ? trans.__('Used by')
            : trans.__('Nothing uses it.')}
        </small>
        {users.steps.map(step => (
          <button
            type="button"
            className="mlwf-LinkButton"
            key={step}
            onClick={() => editor.select({ steps: [step] })}
          >
            {workflow.steps?.[step]?.title || step}
          </button>
        ))}
        {users.outputs.map(output => (
          <small key={output}>{trans.__('output %1', output)}</small>
        ))}
      </div>
    </div>
  );
}

/** Remove a parameter; if something uses it, only after a question. */
async function remove(
  editor: Editor,
  name: string,
  users: { steps: string[]; outputs: string[] }
): Promise<void> {
  const { trans } = editor;
  const all = [...users.steps, ...users.outputs];
  if (all.length) {
    const { button } = await showDialog({
      title: trans.__('Remove the parameter %1?', name),
      body: trans.__(
        'It is used by %1, which will need another value.',
        all.slice(0, 10).join(', ') + (all.length > 10 ? ', …' : '')
      ),
      buttons: [
        Dialog.cancelButton(),
        Dialog.warnButton({ label: trans.__('Remove') })
      ]
    });
    if (!button.accept) {
      return;
    }
  }
  editor.edit(old => removeParameter(old, name));
}

function typeWords({ trans }: Editor): [ParameterType, string][] {
  const words: { [type in ParameterType]: string } = {
    str: trans.__('text (str)'),
    int: trans.__('whole number (int)'),
    float: trans.__('number (float)'),
    bool: trans.__('yes or no (bool)'),
    list: trans.__('list'),
    json: trans.__('any JSON'),
    enum: trans.__('one of some choices (enum)'),
    path: trans.__('file or folder (path)'),
    secret: trans.__('secret, by where it is kept')
  };
  return PARAMETER_TYPES.map(type => [type, words[type]]);
}

/** The default, in a field of the parameter's type. */
function DefaultWidget(props: WidgetProps): JSX.Element {
  const { trans } = editorOf(props);
  const { parameter } = props.options as unknown as { parameter: Parameter };
  const { type, choices } = parameter;
  const value = props.value as JSONValue | undefined;
  const known = (Array.isArray(choices) ? choices : []) as JSONValue[];
  if (known.length) {
    const texts = known.map(choice => JSON.stringify(choice));
    const own = value === undefined ? '' : JSON.stringify(value);
    const strange = own && !texts.includes(own) ? [own] : [];
    return (
      <Choice
        id={props.id}
        label={props.label}
        value={own}
        choices={[
          ['', props.placeholder ?? ''],
          ...[...texts, ...strange].map(
            each =>
              [each, showValue(JSON.parse(each) as JSONValue, type)] as const
          )
        ]}
        onChoose={text =>
          props.onChange(text ? (JSON.parse(text) as JSONValue) : undefined)
        }
      />
    );
  }
  if (type === 'secret') {
    return (
      <TextField
        id={props.id}
        label={props.label}
        text={(value as string | undefined) ?? ''}
        placeholder={props.placeholder}
        complain={complainSecret}
        onCommit={text => props.onChange(text || undefined)}
      />
    );
  }
  return (
    <ValueField
      id={props.id}
      label={props.label}
      value={value}
      type={type}
      placeholder={props.placeholder}
      trans={trans}
      onCommit={props.onChange}
    />
  );
}

/** Choices as text: with commas between them, or a JSON list where commas are part of them. */
function ChoicesWidget(props: WidgetProps): JSX.Element {
  const { type } = props.options as unknown as { type: ParameterType };
  const choices = props.value as JSONValue[] | undefined;
  return (
    <TextField
      id={props.id}
      label={props.label}
      text={showChoices(choices ?? [], type)}
      complain={text => readChoices(text, type).complaint}
      onCommit={text => props.onChange(readChoices(text, type).choices)}
    />
  );
}
