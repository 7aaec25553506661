/** Widgets of the fields of a step. */
import { launchIcon } from '@jupyterlab/ui-components';
import type { WidgetProps } from '@rjsf/utils';
import React from 'react';
import { addParameter, connect } from '../model/edits';
import { NAME, toName } from '../model/names';
import type { IInputPort } from '../model/ports';
import type { Argument, Parameter, Workflow } from '../model/types';
import { fromArgument } from '../model/values';
import { ArgumentField } from './argumentField';
import type { Editor } from './editor';
import { Choice, SourceChip, TextField, editorOf } from './fields';
import { IconButton } from './moreFields';
import type { IStepScope } from './stepScope';

export interface IKernelChoice {
  name: string;
  title: string;
}

/** The path of the notebook, with a button that opens it. */
export function NotebookWidget(props: WidgetProps): JSX.Element {
  const { trans } = editorOf(props);
  const { onOpen } = props.options as unknown as { onOpen: () => void };
  const label = trans.__('Open the notebook');
  return (
    <div className="mlwf-FieldRow">
      <TextField
        id={props.id}
        label={props.label}
        text={props.value as string}
        complain={text =>
          text.trim() ? null : trans.__('Every step needs a notebook.')
        }
        onCommit={props.onChange}
      />
      <IconButton icon={launchIcon} label={label} onClick={onOpen} />
    </div>
  );
}

interface IArgumentOptions {
  port: IInputPort;
  step: string;
  scope: IStepScope;
}

/** The value of an input, or where it comes from. */
export function ArgumentWidget(props: WidgetProps): JSX.Element {
  const editor = editorOf(props);
  const { port, step, scope } = props.options as unknown as IArgumentOptions;
  const argument = props.value as Argument | undefined;
  return (
    <ArgumentField
      id={props.id}
      editor={editor}
      label={port.name}
      argument={argument}
      type={port.declared?.type ?? null}
      placeholder={placeholderOf(port)}
      groups={scope.groups}
      scope={scope.inputs}
      onChange={props.onChange}
      onNew={() => editor.edit(old => promote(old, step, port, argument))}
    />
  );
}

function placeholderOf(port: IInputPort): string {
  const { declared } = port;
  if (!declared || declared.required) {
    return '';
  }
  return declared.type === 'str' && typeof declared.default === 'string'
    ? declared.default
    : (declared.source ?? JSON.stringify(declared.default ?? null));
}

/** Make a parameter of the workflow of an input, with the value that the input has. */
function promote(
  workflow: Workflow,
  step: string,
  port: IInputPort,
  argument: Argument | undefined
): Workflow {
  const type = port.declared?.type ?? 'str';
  const parameter: Parameter = { type: type === 'dict' ? 'json' : type };
  const value =
    argument === undefined ? port.declared?.default : fromArgument(argument);
  if (value !== undefined && value !== null) {
    parameter.default = value;
  }
  if (port.declared?.help) {
    parameter.help = port.declared.help;
  }
  const wish = NAME.test(port.name)
    ? port.name
    : toName(port.name, 'parameter');
  const { document, name } = addParameter(workflow, parameter, wish);
  return connect(document, { kind: 'params', name }, step, port.name);
}

/** The steps that are waited for though no value passes. */
export function AfterWidget(props: WidgetProps): JSX.Element {
  const { trans, workflow, select } = bound(editorOf(props));
  const { candidates } = props.options as unknown as { candidates: string[] };
  const after = (props.value as string[] | undefined) ?? [];
  return (
    <div className="mlwf-Chips">
      {after.map(name => (
        <SourceChip
          key={name}
          text={workflow?.steps?.[name]?.title || name}
          hint={name}
          removeLabel={trans.__('Do not wait for %1', name)}
          onOpen={workflow?.steps?.[name] ? () => select(name) : undefined}
          onRemove={() => props.onChange(after.filter(other => other !== name))}
        />
      ))}
      {candidates.length > 0 && (
        <div className="jp-select-wrapper mlwf-Field">
          <select
            id={props.id}
            className="jp-mod-styled"
            aria-label={trans.__('Add a step to wait for')}
            value=""
            onChange={({ target }) => props.onChange([...after, target.value])}
          >
            <option value="" disabled>
              {trans.__('Add a step…')}
            </option>
            {candidates.map(name => (
              <option key={name} value={name}>
                {workflow?.steps?.[name]?.title || name}
              </option>
            ))}
          </select>
        </div>
      )}
    </div>
  );
}

function bound(editor: Editor) {
  return {
    trans: editor.trans,
    workflow: editor.workflow,
    select: (name: string) => editor.select({ steps: [name] })
  };
}

interface IKernelOptions {
  kernels: readonly IKernelChoice[];
  /** Name of the kernel that the notebook names. */
  own: string | null;
}

/** The kernel, or the one that the notebook names. */
export function KernelWidget(props: WidgetProps): JSX.Element {
  const { trans } = editorOf(props);
  const { kernels, own } = props.options as unknown as IKernelOptions;
  const value = props.value as string;
  const isKnown = !value || kernels.some(kernel => kernel.name === value);
  const titleOf = (name: string) =>
    kernels.find(kernel => kernel.name === name)?.title ?? name;
  const notebook = own
    ? trans.__('As in the notebook: %1', titleOf(own))
    : trans.__('As in the notebook');
  return (
    <Choice
      id={props.id}
      label={props.label}
      value={value}
      choices={[
        ['', notebook],
        ...(isKnown ? [] : [[value, value] as const]),
        ...kernels.map(({ name, title }) => [name, title] as const)
      ]}
      onChoose={props.onChange}
    />
  );
}
