import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { RunState, StepState } from '../api/types';
import { runStateWord, stateWord } from './format';

const MARKS: Record<RunState | StepState, string> = {
  pending: '○',
  queued: '○',
  running: '',
  waiting: '‖',
  stopping: '',
  succeeded: '✓',
  cached: '↺',
  skipped: '–',
  failed: '✗',
  stopped: '■'
};

/** The mark of a state, where nothing can turn. */
export function stateMark(state: RunState | StepState): string {
  return MARKS[state] || '▸';
}

/** State of a step, or with a word of its own that of a run: a mark and the word, so that color is never alone. */
export function StateChip(props: {
  state: RunState | StepState;
  word?: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { state, word, trans } = props;
  return (
    <span className={`mlwf-State mlwf-mod-${state}`} data-state={state}>
      <span className="mlwf-State-mark" aria-hidden="true">
        {MARKS[state]}
      </span>
      {word ?? stateWord(state, trans)}
    </span>
  );
}

/** State of a run. */
export function RunStateChip(props: {
  state: RunState;
  trans: TranslationBundle;
}): JSX.Element {
  return <StateChip {...props} word={runStateWord(props.state, props.trans)} />;
}
