import React, { useEffect, useRef, useState } from 'react';
import type { Editor } from './editor';

/** The field in which the name of a step is changed, where its title stood. */
export function TitleEditor(props: {
  editor: Editor;
  name: string;
}): JSX.Element {
  const { editor, name } = props;
  const [text, setText] = useState(name);
  const field = useRef<HTMLInputElement>(null);
  const isOver = useRef(false);
  useEffect(() => field.current?.select(), []);
  const complaint = editor.complainRename(name, text);
  const end = (accept: boolean) => {
    if (isOver.current) {
      return;
    }
    isOver.current = true;
    // The field goes, and the focus must not go with it to nowhere: shortcuts would stop working.
    field.current?.closest<HTMLElement>('.mlwf-Canvas')?.focus();
    editor.renaming = null;
    if (accept && !complaint) {
      editor.rename(name, text);
    }
  };
  return (
    <input
      ref={field}
      className="mlwf-Node-name nodrag"
      aria-label={editor.trans.__('Name of the step')}
      aria-invalid={complaint !== null}
      title={complaint ?? ''}
      value={text}
      spellCheck={false}
      data-lm-suppress-shortcuts="true"
      onChange={event => setText(event.target.value)}
      onBlur={() => end(true)}
      onDoubleClick={event => event.stopPropagation()}
      onKeyDown={event => {
        event.stopPropagation();
        if (event.key === 'Enter' && !complaint) {
          end(true);
        } else if (event.key === 'Escape') {
          end(false);
        }
      }}
    />
  );
}
