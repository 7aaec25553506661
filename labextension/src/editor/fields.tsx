/** Widgets of the inspector's forms. What is written takes effect when it is complete: on Enter, or when the field is left. */
import { closeIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { WidgetProps } from '@rjsf/utils';
import React, { useEffect, useState } from 'react';
import type { JSONValue } from '../model/types';
import type { FieldType } from '../model/values';
import { readValue, showValue } from '../model/values';
import type { Editor } from './editor';

export function editorOf(props: WidgetProps): Editor {
  return (props.formContext as { editor: Editor }).editor;
}

/** What a text that is written needs. */
export interface ITextProps {
  id?: string;
  label: string;
  text: string;
  placeholder?: string;
  /** Says what is wrong with a text; such a text has no effect. */
  complain?: (text: string) => string | null;
  onCommit: (text: string) => void;
}

/** A text while it is written, apart from the one that the document has. */
function useDraft({ text: kept, complain, onCommit }: ITextProps) {
  const [text, setText] = useState(kept);
  useEffect(() => setText(kept), [kept]);
  const complaint = text === kept ? null : complain?.(text);
  const reset = () => setText(kept);
  const commit = () => {
    if (complaint) {
      reset();
    } else if (text !== kept) {
      onCommit(text);
    }
  };
  return { text, setText, complaint, reset, commit };
}

function Complaint(props: { text: string | null | undefined }) {
  return props.text ? (
    <div className="mlwf-Field-complaint" role="alert">
      {props.text}
    </div>
  ) : null;
}

/** A field of text. */
export function TextField(props: ITextProps): JSX.Element {
  const { text, setText, complaint, reset, commit } = useDraft(props);
  return (
    <>
      <input
        id={props.id}
        className="jp-mod-styled mlwf-Field"
        type="text"
        spellCheck={false}
        aria-label={props.label}
        aria-invalid={Boolean(complaint)}
        value={text}
        placeholder={props.placeholder}
        onChange={event => setText(event.target.value)}
        onBlur={commit}
        onKeyDown={event => {
          if (event.key === 'Enter' && !complaint) {
            commit();
          } else if (event.key === 'Escape') {
            reset();
          }
        }}
      />
      <Complaint text={complaint} />
    </>
  );
}

/** A field of several lines. It takes effect when it is left, or on Ctrl+Enter. */
export function TextArea(props: ITextProps & { rows?: number }): JSX.Element {
  const { text, setText, complaint, reset, commit } = useDraft(props);
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
            reset();
          }
        }}
      />
      <Complaint text={complaint} />
    </>
  );
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

/** The properties of a text that a form hands on to a widget. */
function textProps(props: WidgetProps): ITextProps {
  const { complain } = props.options as Pick<ITextProps, 'complain'>;
  return {
    id: props.id,
    label: props.label,
    text: (props.value as string | undefined) ?? '',
    placeholder: props.placeholder,
    complain,
    onCommit: props.onChange
  };
}

export function TextWidget(props: WidgetProps): JSX.Element {
  return <TextField {...textProps(props)} />;
}

export function TextAreaWidget(props: WidgetProps): JSX.Element {
  return <TextArea {...textProps(props)} />;
}

/** A field for a value of some type; empty means that there is none. */
export function ValueField(props: {
  id?: string;
  label: string;
  value: JSONValue | undefined;
  type: FieldType | null;
  placeholder?: string;
  trans: TranslationBundle;
  onCommit: (value: JSONValue | undefined) => void;
}): JSX.Element {
  const { value, type, trans } = props;
  if (type === 'bool' && (value === undefined || typeof value === 'boolean')) {
    return (
      <Choice
        id={props.id}
        label={props.label}
        value={value === undefined ? '' : String(value)}
        choices={[
          ['', props.placeholder || trans.__('not set')],
          ['true', 'true'],
          ['false', 'false']
        ]}
        onChoose={word =>
          props.onCommit(word === '' ? undefined : word === 'true')
        }
      />
    );
  }
  return (
    <TextField
      id={props.id}
      label={props.label}
      text={value === undefined ? '' : showValue(value, type)}
      placeholder={props.placeholder}
      complain={text => (text === '' ? null : readValue(text, type).complaint)}
      onCommit={text =>
        props.onCommit(text === '' ? undefined : readValue(text, type).value)
      }
    />
  );
}

export function ValueWidget(props: WidgetProps): JSX.Element {
  const { type } = props.options as unknown as { type: FieldType | null };
  const { trans } = props.formContext as { trans: TranslationBundle };
  return (
    <ValueField
      id={props.id}
      label={props.label}
      value={props.value as JSONValue | undefined}
      type={type}
      placeholder={props.placeholder}
      trans={trans}
      onCommit={props.onChange}
    />
  );
}

/** Something that is connected, with a button that disconnects it. */
export function SourceChip(props: {
  text: string;
  hint: string;
  removeLabel: string;
  onOpen?: () => void;
  onRemove: () => void;
}): JSX.Element {
  return (
    <span className="mlwf-Source">
      <button
        type="button"
        className="mlwf-Source-text"
        title={props.hint}
        disabled={!props.onOpen}
        onClick={props.onOpen}
      >
        {props.text}
      </button>
      <button
        type="button"
        className="mlwf-Source-remove"
        title={props.removeLabel}
        aria-label={props.removeLabel}
        onClick={props.onRemove}
      >
        <closeIcon.react tag="span" width="14px" height="14px" />
      </button>
    </span>
  );
}
