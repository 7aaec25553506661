/** Widgets of the inspector's forms. What is written takes effect when it is complete: on Enter, or when the field is left. */
import { closeIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { WidgetProps } from '@rjsf/utils';
import React, { useEffect, useState } from 'react';
import type { JSONValue } from '../model/types';
import type { FieldType } from '../model/values';
import { readValue, showValue } from '../model/values';

/** A field of text. `complain` says what is wrong with a text; such a text has no effect. */
export function TextField(props: {
  id?: string;
  label: string;
  text: string;
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

/** Options of a widget, as a form hands them on. */
interface ITextOptions {
  complain?: (text: string) => string | null;
}

export function TextWidget(props: WidgetProps): JSX.Element {
  const { complain } = props.options as ITextOptions;
  return (
    <TextField
      id={props.id}
      label={props.label}
      text={(props.value as string | undefined) ?? ''}
      placeholder={props.placeholder}
      complain={complain}
      onCommit={props.onChange}
    />
  );
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
      <div className="jp-select-wrapper mlwf-Field">
        <select
          id={props.id}
          className="jp-mod-styled"
          aria-label={props.label}
          value={value === undefined ? '' : String(value)}
          onChange={({ target }) =>
            props.onCommit(
              target.value === '' ? undefined : target.value === 'true'
            )
          }
        >
          <option value="">{props.placeholder || trans.__('not set')}</option>
          {['true', 'false'].map(word => (
            <option key={word} value={word}>
              {word}
            </option>
          ))}
        </select>
      </div>
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
