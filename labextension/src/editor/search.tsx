import React, { useEffect, useMemo, useRef, useState } from 'react';
import type { HitPlace, IHit } from '../model/search';
import { search } from '../model/search';
import type { Workflow } from '../model/types';
import type { CanvasWidget } from './canvasWidget';

/** Of larger workflows, the text of the first notebooks is looked at. */
const MAX_NOTEBOOKS = 300;
/** How many are read at once. */
const READERS = 4;

/** A field to look for something, and what it found. */
export function SearchPanel(props: {
  canvas: CanvasWidget;
  workflow: Workflow;
}): JSX.Element {
  const { canvas, workflow } = props;
  const { editor } = canvas;
  const { trans } = editor;
  const [query, setQuery] = useState('');
  const [chosen, setChosen] = useState(0);
  const { texts, left } = useTexts(canvas, workflow);
  const hits = useMemo(
    () => search(workflow, query, texts),
    [workflow, query, texts]
  );
  const current = Math.min(chosen, hits.length - 1);
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => field.current?.focus(), []);
  // In braces: what the browser returns here is no clean-up.
  useEffect(() => {
    list.current?.children[current]?.scrollIntoView({ block: 'nearest' });
  }, [current]);
  const jump = (hit: IHit | undefined) => {
    if (hit) {
      canvas.reveal(hit.place === 'note' ? 'note' : 'step', hit.name);
    }
  };
  const close = () => {
    editor.isSearching = false;
    canvas.node.focus();
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    event.stopPropagation();
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && hits.length) {
      event.preventDefault();
      setChosen((current + step + hits.length) % hits.length);
    } else if (event.key === 'Enter') {
      jump(hits[current]);
    } else if (event.key === 'Escape') {
      close();
    }
  };
  return (
    <div
      className="mlwf-Search"
      role="search"
      data-lm-suppress-shortcuts="true"
      onKeyDown={onKeyDown}
    >
      <div className="mlwf-Search-head">
        <input
          ref={field}
          className="jp-mod-styled"
          role="combobox"
          aria-expanded={hits.length > 0}
          aria-controls="mlwf-search-hits"
          aria-activedescendant={
            hits.length ? `mlwf-search-${current}` : undefined
          }
          aria-label={trans.__('Find in the workflow')}
          placeholder={trans.__('Steps, parameters, text of notebooks…')}
          spellCheck={false}
          value={query}
          onChange={event => {
            setQuery(event.target.value);
            setChosen(0);
          }}
        />
        <button
          type="button"
          className="mlwf-Search-close"
          title={trans.__('Close (Escape)')}
          aria-label={trans.__('Close')}
          onClick={close}
        >
          ×
        </button>
      </div>
      {query.trim() && (
        <div className="mlwf-Search-count" role="status">
          {trans._n('%1 place', '%1 places', hits.length)}
          {left > 0 &&
            ` · ${trans._n('%1 notebook is being read', '%1 notebooks are being read', left)}`}
        </div>
      )}
      <ul
        ref={list}
        id="mlwf-search-hits"
        role="listbox"
        aria-label={trans.__('Places')}
      >
        {hits.map((hit, index) => (
          <li
            key={`${hit.place} ${hit.name} ${index}`}
            id={`mlwf-search-${index}`}
            role="option"
            aria-selected={index === current}
            onClick={() => {
              setChosen(index);
              jump(hit);
            }}
          >
            <span className="mlwf-Search-name">
              {hit.place === 'note'
                ? trans.__('Note')
                : workflow.steps?.[hit.name]?.title || hit.name}
              <span className="mlwf-Search-place">
                {placeWord(hit.place, trans)}
              </span>
            </span>
            <span className="mlwf-Search-line">
              {hit.line.slice(0, hit.start)}
              <mark>{hit.line.slice(hit.start, hit.start + hit.length)}</mark>
              {hit.line.slice(hit.start + hit.length)}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function placeWord(
  place: HitPlace,
  trans: CanvasWidget['editor']['trans']
): string {
  return {
    name: trans.__('name'),
    title: trans.__('title'),
    file: trans.__('file'),
    parameter: trans.__('parameter'),
    condition: trans.__('condition'),
    text: trans.__('text'),
    note: trans.__('text')
  }[place];
}

/** The lines of the notebooks of a workflow, as far as they have been read, and how many have not. */
function useTexts(
  canvas: CanvasWidget,
  workflow: Workflow
): { texts: ReadonlyMap<string, readonly string[]>; left: number } {
  const [state, setState] = useState({
    texts: new Map<string, readonly string[]>() as ReadonlyMap<
      string,
      readonly string[]
    >,
    left: 0
  });
  const paths = Object.values(workflow.steps ?? {}).flatMap(
    step => step.notebook ?? []
  );
  const key = JSON.stringify([...new Set(paths)].slice(0, MAX_NOTEBOOKS));
  useEffect(() => {
    const open = JSON.parse(key) as string[];
    const texts = new Map<string, readonly string[]>();
    let isOver = false;
    let left = open.length;
    const read = async () => {
      for (let path = open.shift(); path !== undefined; path = open.shift()) {
        texts.set(path, await canvas.actions.readNotebook(path));
        left--;
        if (isOver) {
          return;
        }
        if (left % 20 === 0) {
          setState({ texts: new Map(texts), left });
        }
      }
    };
    setState({ texts, left });
    Array.from({ length: READERS }, () => void read());
    return () => {
      isOver = true;
    };
  }, [canvas, key]);
  return state;
}
