import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { Problem } from '../model/types';

/** What is wrong, where, and how to mend it; a click on one leads to its step. */
export function ProblemList(props: {
  problems: readonly Problem[];
  trans: TranslationBundle;
  onOpen?: (problem: Problem) => void;
}): JSX.Element {
  const { problems, trans, onOpen } = props;
  if (!problems.length) {
    return (
      <p className="mlwf-Inspector-hint">{trans.__('No problems found.')}</p>
    );
  }
  return (
    <ul className="mlwf-Problems">
      {problems.map((problem, index) => (
        <li key={index}>
          <button
            type="button"
            className="mlwf-Problem"
            disabled={!onOpen}
            onClick={() => onOpen?.(problem)}
          >
            <span className="mlwf-Problem-message">
              <span className="mlwf-Problem-sign" aria-hidden="true">
                ⚠
              </span>
              {problem.message}
            </span>
            <span className="mlwf-Problem-mend">{problem.mend}</span>
            {problem.place && (
              <code className="mlwf-Problem-place">{problem.place}</code>
            )}
          </button>
        </li>
      ))}
    </ul>
  );
}
