/** A field for an expression in CEL: it completes names, is checked while it is written, and shows its value in a run. */
import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useId, useRef, useState } from 'react';
import type { Variables } from '../cel/cel';
import { complainExpression, evaluate } from '../cel/cel';
import type { ICompletion, INames } from '../cel/completion';
import { completionsAt } from '../cel/completion';
import { BadExpression } from '../cel/words';
import type { JSONValue } from '../model/types';

/** What an expression can look at. */
export interface IExpressionScope {
  names: INames;
  /** The run that is shown, and what the expression sees of it; null if there is none. */
  run: { number: number; variables: Variables } | null;
}

export type Wanted = 'value' | 'condition' | 'list';

interface IExpressionProps {
  id?: string;
  label: string;
  text: string;
  placeholder?: string;
  wanted: Wanted;
  scope: IExpressionScope;
  trans: TranslationBundle;
  onCommit: (text: string) => void;
}

const MOST_SHOWN = 50;

export function ExpressionField(props: IExpressionProps): JSX.Element {
  const { label, trans, scope } = props;
  const [text, setText] = useState(props.text);
  const [found, setFound] = useState<ICompletion[]>([]);
  const [active, setActive] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const id = useId();
  useEffect(() => setText(props.text), [props.text]);
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
  }, [active, found]);

  // What is in the document has its problems beside the field already.
  const isChanged = text !== props.text;
  const complaint = isChanged && text.trim() ? complainExpression(text) : null;
  const result = describeResult(text, props);

  const complete = (written: string, isAsked: boolean) => {
    const cursor = input.current?.selectionStart ?? written.length;
    // Where no name has been begun, Enter is to end the expression, and not to add to it.
    const isBegun = /[\w.]$/.test(written.slice(0, cursor));
    if (!isAsked && !isBegun) {
      setFound([]);
      return;
    }
    setFound(completionsAt(written, cursor, scope.names).slice(0, MOST_SHOWN));
    setActive(0);
  };
  const close = () => setFound([]);
  const commit = () => {
    close();
    if (text.trim() !== props.text) {
      props.onCommit(text.trim());
    }
  };
  const accept = ({ insert, from }: ICompletion) => {
    const field = input.current!;
    // By hand, so that the browser's own undo knows of it.
    field.focus();
    field.setSelectionRange(from, field.selectionStart);
    document.execCommand('insertText', false, insert);
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const { key } = event;
    if (key === ' ' && event.ctrlKey) {
      complete(text, true);
    } else if (!found.length) {
      if (key === 'Enter') {
        commit();
      } else if (key === 'Escape') {
        setText(props.text);
      } else if (key === 'ArrowDown') {
        complete(text, true);
      }
      return;
    } else if (key === 'ArrowDown' || key === 'ArrowUp') {
      const step = key === 'ArrowDown' ? 1 : found.length - 1;
      setActive((active + step) % found.length);
    } else if (key === 'Enter' || key === 'Tab') {
      accept(found[active]);
    } else if (key === 'Escape') {
      close();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="mlwf-Expression">
      <input
        id={props.id}
        ref={input}
        className="jp-mod-styled mlwf-Field mlwf-Expression-text"
        type="text"
        role="combobox"
        spellCheck={false}
        autoComplete="off"
        aria-label={label}
        aria-autocomplete="list"
        aria-expanded={found.length > 0}
        aria-controls={`${id}list`}
        aria-activedescendant={
          found.length ? `${id}option${active}` : undefined
        }
        aria-describedby={`${id}said`}
        aria-invalid={complaint !== null || result?.isWrong === true}
        value={text}
        placeholder={props.placeholder}
        onChange={({ target }) => {
          setText(target.value);
          complete(target.value, false);
        }}
        onBlur={commit}
        onKeyDown={onKeyDown}
      />
      {found.length > 0 && (
        <ul
          id={`${id}list`}
          ref={list}
          className="mlwf-Completions"
          role="listbox"
          aria-label={trans.__('Names for %1', label)}
        >
          {found.map((each, index) => (
            <li
              key={each.insert}
              id={`${id}option${index}`}
              role="option"
              aria-selected={index === active}
              // The field keeps the focus.
              onMouseDown={event => event.preventDefault()}
              onClick={() => accept(each)}
            >
              <span>{each.label}</span>
              <small>{each.detail}</small>
            </li>
          ))}
        </ul>
      )}
      <div id={`${id}said`} aria-live="polite">
        {complaint !== null ? (
          <div className="mlwf-Field-complaint">{complaint}</div>
        ) : (
          result && (
            <div
              className={
                result.isWrong
                  ? 'mlwf-Field-complaint'
                  : 'mlwf-Expression-result'
              }
            >
              {result.text}
            </div>
          )
        )}
      </div>
    </div>
  );
}

/** What an expression gives in the run that is shown; null if there is nothing to say. */
function describeResult(
  text: string,
  { scope, wanted, trans }: IExpressionProps
): { text: string; isWrong: boolean } | null {
  if (!text.trim() || complainExpression(text) !== null) {
    return null;
  }
  if (!scope.run) {
    return { text: trans.__('no run yet'), isWrong: false };
  }
  const { number, variables } = scope.run;
  let value: JSONValue;
  try {
    value = evaluate(text, variables);
  } catch (error) {
    if (error instanceof BadExpression) {
      return {
        text: trans.__('In run %1: %2', number, error.message),
        isWrong: false
      };
    }
    throw error;
  }
  const shown = JSON.stringify(value);
  const said = trans.__(
    '= %1 in run %2',
    shown.length > 200 ? `${shown.slice(0, 197)}...` : shown,
    number
  );
  if (wanted === 'condition' && typeof value !== 'boolean') {
    return {
      text: trans.__('%1, which is neither true nor false.', said),
      isWrong: true
    };
  }
  if (wanted === 'list' && !Array.isArray(value)) {
    return { text: trans.__('%1, which is no list.', said), isWrong: true };
  }
  return { text: said, isWrong: false };
}
