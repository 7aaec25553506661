import React from 'react';
import type { Editor } from './editor';
import { ProblemList } from './problems';

/** A file that cannot be drawn: why, and its text as it is. Nothing here changes it. */
export function BrokenView(props: { editor: Editor }): JSX.Element {
  const { editor } = props;
  const { trans } = editor;
  const { problems } = editor.document.reading;
  const known = editor.inspection.problems;
  return (
    <div className="mlwf-Broken">
      <h2>{trans.__('This file cannot be shown as a workflow')}</h2>
      <p>
        {trans.__(
          'It stays as it is. Mend it in a text editor: right-click the file, Open With, Editor.'
        )}
      </p>
      <ProblemList
        problems={known.length ? known : (problems ?? [])}
        trans={trans}
      />
      <pre className="mlwf-Broken-text" tabIndex={0}>
        {editor.document.getSource()}
      </pre>
    </div>
  );
}
