/** More widgets of the inspector's forms: lists, switches, values with a source, buttons. */
import type { LabIcon } from '@jupyterlab/ui-components';
import type { WidgetProps } from '@rjsf/utils';
import React from 'react';
import type { Argument } from '../model/types';
import { isExpression, isFirst, isReference } from '../model/types';
import type { FieldType } from '../model/values';
import type { ISourceGroup } from './argumentField';
import { LiteralField, SourceOptions } from './argumentField';
import type { Editor } from './editor';
import { Choice, SourceChip, TextArea, editorOf } from './fields';

/** A list of texts, one a line. */
export function LinesWidget(props: WidgetProps): JSX.Element {
  const { trans } = editorOf(props);
  const lines = props.value as string[];
  return (
    <TextArea
      id={props.id}
      label={props.label}
      text={lines.join('\n')}
      rows={Math.min(Math.max(lines.length + 1, 3), 12)}
      complain={text => {
        const read = readLines(text);
        const twice = read.find((line, index) => read.indexOf(line) < index);
        if (twice !== undefined) {
          return trans.__('‘%1’ is there twice.', twice);
        }
        return read.length ? null : trans.__('Write at least one.');
      }}
      onCommit={text => props.onChange(readLines(text))}
    />
  );
}

function readLines(text: string): string[] {
  return text
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '');
}

export interface IChoiceOptions {
  choices: readonly (readonly [value: string, word: string])[];
}

export function ChoiceWidget(props: WidgetProps): JSX.Element {
  const { choices } = props.options as unknown as IChoiceOptions;
  return (
    <Choice
      id={props.id}
      label={props.label}
      value={props.value as string}
      choices={choices}
      onChoose={props.onChange}
    />
  );
}

export function Check(props: {
  id?: string;
  label: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}): JSX.Element {
  return (
    <label className="mlwf-Check">
      <input
        id={props.id}
        type="checkbox"
        checked={props.checked}
        disabled={props.disabled}
        onChange={({ target }) => props.onChange(target.checked)}
      />
      {props.label}
    </label>
  );
}

/** A choice of yes or no; `text` says what yes means. */
export function CheckWidget(props: WidgetProps): JSX.Element {
  const { text } = props.options as unknown as { text: string };
  return (
    <Check
      id={props.id}
      label={text}
      checked={props.value as boolean}
      onChange={props.onChange}
    />
  );
}

/** A literal, or a source chosen from a list. */
export function ArgumentField(props: {
  id?: string;
  editor: Editor;
  label: string;
  argument: Argument | undefined;
  type: FieldType | null;
  placeholder?: string;
  groups: readonly ISourceGroup[];
  onChange: (argument: Argument | undefined) => void;
}): JSX.Element {
  const { editor, label, argument, onChange } = props;
  const { trans } = editor;
  if (isReference(argument) || isExpression(argument) || isFirst(argument)) {
    return (
      <SourceChip
        text={describe(argument)}
        hint={JSON.stringify(argument)}
        removeLabel={trans.__('Disconnect %1', label)}
        onRemove={() => onChange(undefined)}
      />
    );
  }
  return (
    <div className="mlwf-FieldRow">
      <LiteralField {...props} />
      <SourceMenu
        label={trans.__('Take %1 from…', label)}
        groups={props.groups}
        onChoose={onChange}
      />
    </div>
  );
}

/** The list from which a source is chosen: a sign, or a field with a text. */
export function SourceMenu(props: {
  label: string;
  text?: string;
  groups: readonly ISourceGroup[];
  onChoose: (argument: Argument) => void;
}): JSX.Element {
  const { text } = props;
  const select = (
    <select
      className={text ? 'jp-mod-styled' : 'mlwf-SourceSelect'}
      aria-label={props.label}
      title={props.label}
      value=""
      onChange={({ target }) => props.onChoose({ from: target.value })}
    >
      <option value="" disabled hidden>
        {text}
      </option>
      <SourceOptions groups={props.groups} />
    </select>
  );
  return text ? (
    <div className="jp-select-wrapper mlwf-Field">{select}</div>
  ) : (
    select
  );
}

function describe(argument: Argument): string {
  if (isReference(argument)) {
    return `← ${argument.from}`;
  }
  if (isExpression(argument)) {
    return `= ${argument.expr}`;
  }
  return `← first of ${isFirst(argument) ? argument.first.length : 0}`;
}

/** A button that is only a sign. */
export function IconButton(props: {
  icon: LabIcon;
  label: string;
  disabled?: boolean;
  onClick: () => void;
}): JSX.Element {
  return (
    <button
      type="button"
      className="mlwf-IconButton"
      title={props.label}
      aria-label={props.label}
      disabled={props.disabled}
      onClick={props.onClick}
    >
      <props.icon.react tag="span" width="16px" height="16px" />
    </button>
  );
}
