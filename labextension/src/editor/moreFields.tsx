/** More widgets of the inspector's forms: long texts, lists, switches, choices, values with a source. */
import type { LabIcon } from '@jupyterlab/ui-components';
import type { WidgetProps } from '@rjsf/utils';
import React, { useEffect, useState } from 'react';
import { formatReference } from '../model/graph';
import type { Argument } from '../model/types';
import { isExpression, isFirst, isReference } from '../model/types';
import type { FieldType } from '../model/values';
import { fromArgument, toArgument } from '../model/values';
import type { Editor } from './editor';
import { SourceChip, ValueField } from './fields';
import type { ISourceGroup } from './argumentField';

export function editorOf(props: WidgetProps): Editor {
  return (props.formContext as { editor: Editor }).editor;
}

/** A field of several lines. It takes effect when it is left, or on Ctrl+Enter; a text with a complaint has no effect. */
export function TextArea(props: {
  id?: string;
  label: string;
  text: string;
  rows?: number;
  placeholder?: string;
  complain?: (text: string) => string | null;
  onCommit: (text: string) => void;
}): JSX.Element {
  const [text, setText] = useState(props.text);
  useEffect(() => setText(props.text), [props.text]);
  const complaint = text === props.text ? null : props.complain?.(text);
  const commit = () => {
    if (complaint) {
      setText(props.text);
    } else if (text !== props.text) {
      props.onCommit(text);
    }
  };
  return (
    <>
      <textarea
        id={props.id}
        className="jp-mod-styled mlwf-Field mlwf-TextArea"
        rows={props.rows ?? 3}
        aria-label={props.label}
        aria-invalid={Boolean(complaint)}
        value={text}
        placeholder={props.placeholder}
        onChange={event => setText(event.target.value)}
        onBlur={commit}
        onKeyDown={event => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
            commit();
          } else if (event.key === 'Escape') {
            setText(props.text);
          }
        }}
      />
      {complaint && (
        <div className="mlwf-Field-complaint" role="alert">
          {complaint}
        </div>
      )}
    </>
  );
}

interface ITextAreaOptions {
  complain?: (text: string) => string | null;
}

export function TextAreaWidget(props: WidgetProps): JSX.Element {
  const { complain } = props.options as ITextAreaOptions;
  return (
    <TextArea
      id={props.id}
      label={props.label}
      text={(props.value as string | undefined) ?? ''}
      placeholder={props.placeholder}
      complain={complain}
      onCommit={props.onChange}
    />
  );
}

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

/** One of some words. */
export function Choice(props: {
  id?: string;
  label: string;
  value: string;
  choices: readonly (readonly [value: string, word: string])[];
  onChoose: (value: string) => void;
}): JSX.Element {
  return (
    <div className="jp-select-wrapper mlwf-Field">
      <select
        id={props.id}
        className="jp-mod-styled"
        aria-label={props.label}
        value={props.value}
        onChange={({ target }) => props.onChoose(target.value)}
      >
        {props.choices.map(([value, word]) => (
          <option key={value} value={value}>
            {word}
          </option>
        ))}
      </select>
    </div>
  );
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
      <ValueField
        id={props.id}
        label={label}
        value={argument === undefined ? undefined : fromArgument(argument)}
        type={props.type}
        placeholder={props.placeholder}
        trans={trans}
        onCommit={value =>
          onChange(value === undefined ? undefined : toArgument(value))
        }
      />
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
      {props.groups.map(group => (
        <optgroup label={group.label} key={group.label}>
          {group.sources.map(({ label, source }) => (
            <option key={label} value={formatReference(source)}>
              {label}
            </option>
          ))}
        </optgroup>
      ))}
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
