import { addIcon, deleteIcon } from '@jupyterlab/ui-components';
import type { RJSFSchema, UiSchema, WidgetProps } from '@rjsf/utils';
import React from 'react';
import {
  addParameter,
  removeParameter,
  renameParameter,
  setParameter,
  setWorkflow
} from '../model/edits';
import { complainName } from '../model/names';
import type {
  JSONValue,
  Parameter,
  ParameterType,
  Workflow
} from '../model/types';
import { readValue, showValue } from '../model/values';
import type { Editor } from './editor';
import { TextField } from './fields';
import { DocumentForm } from './form';

const TYPES: ParameterType[] = [
  'str',
  'int',
  'float',
  'bool',
  'enum',
  'list',
  'json',
  'path'
];

const WIDGETS = { choices: ChoicesWidget, type: TypeWidget };

/** The fields of the workflow as a whole, and its parameters. */
export function WorkflowForm(props: {
  editor: Editor;
  workflow: Workflow;
}): JSX.Element {
  const { editor, workflow } = props;
  const { trans } = editor;
  const schema: RJSFSchema = {
    type: 'object',
    properties: {
      name: { type: 'string', title: trans.__('Name') },
      title: { type: 'string', title: trans.__('Title') },
      max_parallel: {
        type: 'string',
        title: trans.__('Steps at once'),
        description: trans.__('at most, if the machine allows more')
      }
    }
  };
  const uiSchema: UiSchema = {
    name: {
      'ui:options': { complain: (text: string) => complainName(text, []) }
    },
    title: { 'ui:placeholder': workflow.name },
    max_parallel: {
      'ui:widget': 'value',
      'ui:placeholder': trans.__('as many as fit'),
      'ui:options': { type: 'int' }
    }
  };
  return (
    <>
      <DocumentForm
        editor={editor}
        place=""
        schema={schema}
        uiSchema={uiSchema}
        data={{
          name: workflow.name,
          title: workflow.title ?? '',
          max_parallel: workflow.max_parallel ?? undefined
        }}
        onField={(field, value) =>
          editor.edit(old => setWorkflow(old, { [field]: value }))
        }
      />
      <h3 className="mlwf-Inspector-heading">
        {trans.__('Parameters')} <small>{trans.__('asked for each run')}</small>
      </h3>
      {Object.entries(workflow.parameters ?? {}).map(([name, parameter]) => (
        <ParameterCard
          key={name}
          editor={editor}
          workflow={workflow}
          name={name}
          parameter={parameter}
        />
      ))}
      <button
        type="button"
        className="mlwf-AddButton"
        onClick={() =>
          editor.edit(old => addParameter(old, { type: 'str' }).document)
        }
      >
        <addIcon.react tag="span" width="16px" height="16px" />
        {trans.__('Parameter')}
      </button>
    </>
  );
}

function ParameterCard(props: {
  editor: Editor;
  workflow: Workflow;
  name: string;
  parameter: Parameter;
}): JSX.Element {
  const { editor, workflow, name, parameter } = props;
  const { trans } = editor;
  const { type } = parameter;
  const isNumber = type === 'int' || type === 'float';
  const others = Object.keys(workflow.parameters ?? {}).filter(
    other => other !== name
  );
  const text = (title: string) => ({ type: 'string' as const, title });
  const schema: RJSFSchema = {
    type: 'object',
    properties: {
      name: text(trans.__('Name')),
      type: text(trans.__('Type')),
      default: text(trans.__('Default')),
      ...(isNumber && {
        min: text(trans.__('Min')),
        max: text(trans.__('Max'))
      }),
      title: text(trans.__('Title')),
      help: text(trans.__('Help')),
      choices: {
        ...text(trans.__('Choices')),
        description: trans.__('with commas between them')
      }
    }
  };
  const value = { 'ui:widget': 'value', 'ui:options': { type } };
  const bound = { 'ui:widget': 'value', 'ui:options': { type: 'float' } };
  const uiSchema: UiSchema = {
    name: {
      'ui:options': { complain: (to: string) => complainName(to, others) }
    },
    type: { 'ui:widget': 'type' },
    default: { ...value, 'ui:placeholder': trans.__('none: required') },
    min: bound,
    max: bound,
    title: { 'ui:placeholder': name },
    choices: { 'ui:widget': 'choices', 'ui:options': { type } }
  };
  const removeLabel = trans.__('Remove %1', name);
  return (
    <div className="mlwf-Card" data-parameter={name}>
      <button
        type="button"
        className="mlwf-IconButton mlwf-Card-remove"
        title={removeLabel}
        aria-label={removeLabel}
        onClick={() => editor.edit(old => removeParameter(old, name))}
      >
        <deleteIcon.react tag="span" width="16px" height="16px" />
      </button>
      <DocumentForm
        editor={editor}
        place={`parameters.${name}`}
        schema={schema}
        uiSchema={uiSchema}
        widgets={WIDGETS}
        data={{
          ...parameter,
          name,
          title: parameter.title ?? '',
          help: parameter.help ?? '',
          min: parameter.min ?? undefined,
          max: parameter.max ?? undefined,
          default: parameter.default ?? undefined
        }}
        onField={(field, changed) =>
          editor.edit(old =>
            field === 'name'
              ? renameParameter(old, name, changed as string)
              : setParameter(
                  old,
                  name,
                  withField(parameter, field, changed as JSONValue | undefined)
                )
          )
        }
      />
    </div>
  );
}

/** A parameter with one field changed. What a new type cannot have goes. */
function withField(
  parameter: Parameter,
  field: string,
  value: JSONValue | undefined
): Parameter {
  const changed: { [key: string]: unknown } = { ...parameter, [field]: value };
  if (field === 'type') {
    if (value !== 'int' && value !== 'float') {
      delete changed.min;
      delete changed.max;
    }
    const { default: old } = parameter;
    if (old !== undefined && old !== null) {
      const text = showValue(old as JSONValue, parameter.type);
      const read = readValue(text, value as ParameterType);
      changed.default = read.complaint === null ? read.value : undefined;
    }
  }
  return Object.fromEntries(
    Object.entries(changed).filter(
      ([key, item]) =>
        item !== undefined && !((key === 'title' || key === 'help') && !item)
    )
  ) as Parameter;
}

function TypeWidget(props: WidgetProps): JSX.Element {
  const { trans } = (props.formContext as { editor: Editor }).editor;
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
  return (
    <div className="jp-select-wrapper mlwf-Field">
      <select
        id={props.id}
        className="jp-mod-styled"
        aria-label={props.label}
        value={props.value as string}
        onChange={({ target }) => props.onChange(target.value)}
      >
        {TYPES.map(type => (
          <option key={type} value={type}>
            {words[type]}
          </option>
        ))}
      </select>
    </div>
  );
}

/** Choices as text: with commas between them, or a JSON list where commas are part of them. */
function ChoicesWidget(props: WidgetProps): JSX.Element {
  const { type } = props.options as unknown as { type: ParameterType };
  const choices = props.value as JSONValue[] | null | undefined;
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

function showChoices(choices: JSONValue[], type: ParameterType): string {
  const texts = choices.map(choice => showValue(choice, type));
  const isPlain = texts.every(text => text === text.trim() && text !== '');
  return isPlain && !texts.some(text => /[,[]/.test(text))
    ? texts.join(', ')
    : JSON.stringify(choices);
}

function readChoices(
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
