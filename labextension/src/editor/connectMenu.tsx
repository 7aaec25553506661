import React, { useEffect, useId, useMemo, useRef, useState } from 'react';
import type { IOption } from './connectOptions';
import { newOptions, stepOptions, useFileOptions } from './connectOptions';
import type { IConnectMenu, Wiring } from './wiring';

/** More are not drawn: typing finds the others. */
const MAX_SHOWN = 100;
const WIDTH = 320;
const HEIGHT = 360;
const MARGIN = 8;

/** The list of what a wire can be connected with; typing filters it, and Enter takes what is marked. */
export function ConnectMenu(props: {
  wiring: Wiring;
  menu: IConnectMenu;
  room: { width: number; height: number };
}): JSX.Element {
  const { wiring, menu, room } = props;
  const { trans } = wiring.editor;
  const [query, setQuery] = useState('');
  const [marked, setMarked] = useState(0);
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const steps = useMemo(() => stepOptions(wiring, menu), [wiring, menu]);
  const files = useFileOptions(wiring, menu);
  const fresh = useMemo(
    () => (menu.step ? [] : newOptions(wiring, menu)),
    [wiring, menu]
  );
  const all = [...steps, ...files.options, ...fresh];
  const found = all.filter(option => matches(option, query));
  // A new notebook can always be had, however long the list is.
  const shown = [
    ...found.filter(({ group }) => group !== 'new').slice(0, MAX_SHOWN),
    ...found.filter(({ group }) => group === 'new')
  ];
  const current = Math.min(marked, shown.length - 1);

  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    list.current
      ?.querySelector('[aria-selected="true"]')
      ?.scrollIntoView({ block: 'nearest' });
  }, [current]);

  const onKeyDown = (event: React.KeyboardEvent) => {
    event.stopPropagation();
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp': {
        event.preventDefault();
        const step = event.key === 'ArrowDown' ? 1 : -1;
        const { length } = shown;
        setMarked(length ? (current + step + length) % length : 0);
        break;
      }
      case 'Enter':
        event.preventDefault();
        shown[current]?.choose();
        break;
      case 'Escape':
      case 'Tab':
        event.preventDefault();
        wiring.close();
        break;
    }
  };
  const width = Math.min(WIDTH, room.width - 2 * MARGIN);
  const height = Math.min(HEIGHT, room.height - 2 * MARGIN);
  const style = {
    left: clamp(menu.at.x, room.width - width - MARGIN),
    top: clamp(menu.at.y, room.height - height - MARGIN),
    width,
    maxHeight: height
  };
  const groups = {
    steps: trans.__('Steps'),
    files: trans.__('Files of the workspace'),
    new: trans.__('New')
  };
  return (
    <div
      className="mlwf-Connect"
      style={style}
      role="dialog"
      aria-label={trans.__('Connect to')}
      data-lm-suppress-shortcuts="true"
      onKeyDown={onKeyDown}
      onBlur={event => {
        if (!event.currentTarget.contains(event.relatedTarget)) {
          wiring.close();
        }
      }}
    >
      <input
        ref={field}
        className="mlwf-Connect-query"
        role="combobox"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={shown.length ? `${id}-${current}` : undefined}
        aria-label={trans.__('Search what fits')}
        placeholder={trans.__('Connect to…')}
        value={query}
        spellCheck={false}
        onChange={event => {
          setQuery(event.target.value);
          setMarked(0);
        }}
      />
      <div
        ref={list}
        className="mlwf-Connect-list"
        id={`${id}-list`}
        role="listbox"
        aria-label={trans.__('What fits')}
      >
        {shown.map((option, index) => (
          <React.Fragment key={option.id}>
            {option.group !== shown[index - 1]?.group && (
              <div className="mlwf-Connect-group" role="presentation">
                {groups[option.group]}
              </div>
            )}
            <div
              id={`${id}-${index}`}
              className="mlwf-Connect-option"
              role="option"
              aria-selected={index === current}
              // The field keeps the focus.
              onMouseDown={event => event.preventDefault()}
              onMouseMove={() => setMarked(index)}
              onClick={option.choose}
            >
              <span className="mlwf-Connect-label" title={option.label}>
                {option.label}
              </span>
              <span className="mlwf-Connect-detail" title={option.detail}>
                {option.detail}
              </span>
            </div>
          </React.Fragment>
        ))}
      </div>
      <div className="mlwf-Connect-status" role="status">
        {files.isSearching
          ? trans.__('Looking for notebooks…')
          : files.isCut
            ? trans.__('Not all folders were looked at.')
            : shown.length === 0
              ? trans.__('Nothing fits.')
              : found.length > shown.length
                ? trans.__(
                    '%1 more: type to find them.',
                    found.length - shown.length
                  )
                : ''}
      </div>
    </div>
  );
}

/** Whether each word of a query is in what an option says. */
function matches(option: IOption, query: string): boolean {
  const text = `${option.label} ${option.detail}`.toLowerCase();
  const words = query.toLowerCase().split(/\s+/);
  return words.every(word => text.includes(word));
}

function clamp(value: number, most: number): number {
  return Math.max(MARGIN, Math.min(value, most));
}
