import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { RunState, StepState } from '../api/types';
import { stateWord } from './format';

const MARKS: Record<RunState | StepState, string> = {
  pending: '○',
  queued: '○',
  running: '',
  waiting: '⏸',
  stopping: '',
  succeeded: '✓',
  cached: '✓',
  skipped: '–',
  failed: '✗',
  stopped: '■'
};

/** State of a run or of a step: a mark and the word, so that color is never alone. */
export function StateChip(props: {
  state: RunState | StepState;
  trans: TranslationBundle;
}): JSX.Element {
  const { state, trans } = props;
  return (
    <span className={`mlwf-State mlwf-mod-${state}`} data-state={state}>
      <span className="mlwf-State-mark" aria-hidden="true">
        {MARKS[state]}
      </span>
      {stateWord(state, trans)}
    </span>
  );
}
