import type { NodeProps } from '@xyflow/react';
import { NodeResizer } from '@xyflow/react';
import React, { useEffect, useRef, useState } from 'react';
import { resizeNote, writeNote } from '../model/frames';
import type { NoteNode } from './annotations';
import { useCanvas } from './context';

const MIN_WIDTH = 100;
const MIN_HEIGHT = 60;

/** A text on the canvas; a double click, or Enter, lets it be written. */
export function NoteView(props: NodeProps<NoteNode>): JSX.Element {
  const { data, selected } = props;
  const { editor } = useCanvas();
  const { name, text, isWritten } = data;
  return (
    <div
      className={'mlwf-Note' + (selected ? ' mlwf-mod-selected' : '')}
      onDoubleClick={() => {
        editor.writing = name;
      }}
    >
      <NodeResizer
        isVisible={selected}
        minWidth={MIN_WIDTH}
        minHeight={MIN_HEIGHT}
        onResizeEnd={(_, { x, y, width, height }) =>
          editor.edit(old => resizeNote(old, name, { x, y }, { width, height }))
        }
      />
      {isWritten ? (
        <NoteEditor name={name} text={text} />
      ) : (
        <NoteText text={text} />
      )}
    </div>
  );
}

function NoteText({ text }: { text: string }): JSX.Element {
  const { editor, renderMarkdown } = useCanvas();
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (host.current) {
      void renderMarkdown(host.current, text);
    }
  }, [text, renderMarkdown]);
  return text ? (
    <div ref={host} className="mlwf-Note-text jp-RenderedHTMLCommon" />
  ) : (
    <div className="mlwf-Note-text mlwf-mod-empty">
      {editor.trans.__('Double-click to write')}
    </div>
  );
}

function NoteEditor(props: { name: string; text: string }): JSX.Element {
  const { name } = props;
  const { editor } = useCanvas();
  const [text, setText] = useState(props.text);
  const field = useRef<HTMLTextAreaElement>(null);
  const isLeft = useRef(false);
  useEffect(() => field.current?.focus(), []);
  const leave = (isKept: boolean) => {
    // Leaving by a key takes the focus away, which would leave a second time.
    if (!isLeft.current) {
      isLeft.current = true;
      const focused = field.current?.closest<HTMLElement>('.react-flow__node');
      if (isKept) {
        editor.edit(old => writeNote(old, name, text));
      } else if (!props.text) {
        editor.edit(old => writeNote(old, name, ''));
      }
      editor.writing = null;
      focused?.focus();
    }
  };
  return (
    <textarea
      ref={field}
      className="mlwf-Note-field nodrag nopan nowheel"
      aria-label={editor.trans.__('Text of the note, in Markdown')}
      data-lm-suppress-shortcuts="true"
      value={text}
      onChange={event => setText(event.target.value)}
      onBlur={() => leave(true)}
      onKeyDown={event => {
        event.stopPropagation();
        if (event.key === 'Escape') {
          leave(false);
        } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
          leave(true);
        }
      }}
    />
  );
}
