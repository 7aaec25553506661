/** Widgets of the fields of a step. */
import { launchIcon } from '@jupyterlab/ui-components';
import type { WidgetProps } from '@rjsf/utils';
import React from 'react';
import { addParameter, connect } from '../model/edits';
import type { Source } from '../model/graph';
import { formatReference, isStepSource, parseReference } from '../model/graph';
import { NAME, toName } from '../model/names';
import type { IInputPort } from '../model/ports';
import { describeInput } from '../model/ports';
import type { Argument, Parameter, Workflow } from '../model/types';
import { isExpression, isFirst, isReference } from '../model/types';
import { fromArgument, toArgument } from '../model/values';
import type { Editor } from './editor';
import { SourceChip, TextField, ValueField } from './fields';

/** Sources that an input could have, in groups. */
export interface ISourceGroup {
  label: string;
  sources: { label: string; source: Source }[];
}

export interface IKernelChoice {
  name: string;
  title: string;
}

function editorOf(props: WidgetProps): Editor {
  return (props.formContext as { editor: Editor }).editor;
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
      <button
        type="button"
        className="mlwf-IconButton"
        title={label}
        aria-label={label}
        onClick={onOpen}
      >
        <launchIcon.react tag="span" width="16px" height="16px" />
      </button>
    </div>
  );
}

interface IArgumentOptions {
  port: IInputPort;
  step: string;
  groups: ISourceGroup[];
}

/** A literal, or where the value comes from. */
export function ArgumentWidget(props: WidgetProps): JSX.Element {
  const editor = editorOf(props);
  const { trans } = editor;
  const { port, step, groups } = props.options as unknown as IArgumentOptions;
  const argument = props.value as Argument | undefined;
  if (isReference(argument)) {
    const reference = String(argument.from);
    const source = parseReference(reference);
    const from = source && isStepSource(source) ? source.step : null;
    return (
      <SourceChip
        text={`← ${describeSource(source, editor.workflow) ?? reference}`}
        hint={reference}
        removeLabel={trans.__('Disconnect %1', port.name)}
        onOpen={
          from !== null && editor.workflow?.steps?.[from]
            ? () => editor.select({ steps: [from] })
            : undefined
        }
        onRemove={() => props.onChange(undefined)}
      />
    );
  }
  if (isExpression(argument) || isFirst(argument)) {
    const { text } = describeInput({ ...port, argument })!;
    return (
      <SourceChip
        text={text}
        hint={JSON.stringify(argument)}
        removeLabel={trans.__('Disconnect %1', port.name)}
        onOpen={undefined}
        onRemove={() => props.onChange(undefined)}
      />
    );
  }
  return (
    <div className="mlwf-FieldRow">
      <ValueField
        id={props.id}
        label={port.name}
        value={argument === undefined ? undefined : fromArgument(argument)}
        type={port.declared?.type ?? null}
        placeholder={placeholderOf(port)}
        trans={trans}
        onCommit={value =>
          props.onChange(value === undefined ? undefined : toArgument(value))
        }
      />
      <SourceSelect
        label={trans.__('Take %1 from…', port.name)}
        groups={groups}
        newLabel={trans.__('New parameter of the workflow')}
        onChoose={source =>
          editor.edit(old => connect(old, source, step, port.name))
        }
        onNew={() => editor.edit(old => promote(old, step, port, argument))}
      />
    </div>
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

function describeSource(
  source: Source | null,
  workflow: Workflow | null
): string | null {
  if (!source || !isStepSource(source)) {
    return source && formatReference(source);
  }
  const title = workflow?.steps?.[source.step]?.title || source.step;
  return `${title} · ${source.name}`;
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

const NEW_PARAMETER = 'new';

/** The list from which the source of an input is chosen. */
function SourceSelect(props: {
  label: string;
  groups: ISourceGroup[];
  newLabel: string;
  onChoose: (source: Source) => void;
  onNew: () => void;
}): JSX.Element {
  return (
    <select
      className="mlwf-SourceSelect"
      aria-label={props.label}
      title={props.label}
      value=""
      onChange={({ target }) => {
        const source = parseReference(target.value);
        if (source) {
          props.onChoose(source);
        } else if (target.value === NEW_PARAMETER) {
          props.onNew();
        }
      }}
    >
      <option value="" disabled hidden />
      {props.groups.map(group => (
        <optgroup label={group.label} key={group.label}>
          {group.sources.map(({ label, source }) => (
            <option key={label} value={formatReference(source)}>
              {label}
            </option>
          ))}
        </optgroup>
      ))}
      <option value={NEW_PARAMETER}>{props.newLabel}</option>
    </select>
  );
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
  return (
    <div className="jp-select-wrapper mlwf-Field">
      <select
        id={props.id}
        className="jp-mod-styled"
        aria-label={props.label}
        value={value}
        onChange={({ target }) => props.onChange(target.value)}
      >
        <option value="">
          {own
            ? trans.__('As in the notebook: %1', titleOf(own))
            : trans.__('As in the notebook')}
        </option>
        {!isKnown && <option value={value}>{value}</option>}
        {kernels.map(kernel => (
          <option key={kernel.name} value={kernel.name}>
            {kernel.title}
          </option>
        ))}
      </select>
    </div>
  );
}
