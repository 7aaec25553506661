import type { TranslationBundle } from '@jupyterlab/translation';
import { notebookIcon } from '@jupyterlab/ui-components';
import React from 'react';
import type { RunRecord, StepRecord } from '../api/types';
import {
  formatSeconds,
  secondsToRetry,
  stateWord,
  stepSeconds
} from './format';

export interface ITimelineProps {
  run: RunRecord;
  /** Time of the server, in milliseconds. */
  now: number;
  selected: string | null;
  trans: TranslationBundle;
  onSelect(step: string): void;
  onOpen(step: string): void;
}

/** Steps of a run as bars over time, one bar an attempt. */
export function Timeline(props: ITimelineProps): JSX.Element {
  const { run, now } = props;
  const from = Date.parse(run.started ?? run.created);
  const to = run.finished ? Date.parse(run.finished) : now;
  const scale = (time: string | null) => {
    const at = time ? Date.parse(time) : to;
    return (100 * (at - from)) / Math.max(to - from, 1);
  };
  return (
    <div className="mlwf-Timeline" role="list">
      {Object.entries(run.steps).map(([name, step]) => (
        <Row key={name} name={name} step={step} scale={scale} {...props} />
      ))}
    </div>
  );
}

function Row(
  props: ITimelineProps & {
    name: string;
    step: StepRecord;
    scale: (time: string | null) => number;
  }
): JSX.Element {
  const { name, step, scale, now, selected, trans, onSelect, onOpen } = props;
  const seconds = stepSeconds(step, now);
  const wait = secondsToRetry(step, now);
  const { progress } = step;
  return (
    <div
      role="listitem"
      className={`mlwf-Timeline-row ${selected === name ? 'mlwf-mod-selected' : ''}`}
      data-step={name}
      onClick={() => onSelect(name)}
    >
      <button
        className="mlwf-Timeline-name"
        title={`${step.title ?? name}: ${stateWord(step.state, trans)}`}
      >
        {step.title ?? name}
      </button>
      <div className="mlwf-Timeline-track">
        {step.history.map(attempt => {
          const left = Math.max(0, scale(attempt.started));
          const width = Math.max(0, scale(attempt.finished ?? null) - left);
          return (
            <div
              key={attempt.number}
              className={`mlwf-Timeline-bar mlwf-mod-${attempt.state}`}
              style={{ left: `${left}%`, width: `${width}%` }}
            />
          );
        })}
      </div>
      <span className="mlwf-Timeline-time">
        {step.state === 'running' && progress
          ? trans.__('cell %1/%2', progress.cell, progress.cells) + ' · '
          : null}
        {wait !== null
          ? trans.__('again in %1', formatSeconds(wait))
          : seconds === null || step.state === 'pending'
            ? stateWord(step.state, trans)
            : formatSeconds(seconds)}
      </span>
      <button
        className="mlwf-Timeline-open jp-Button jp-mod-minimal"
        title={trans.__('Open the executed notebook')}
        disabled={!step.notebook}
        onClick={event => {
          event.stopPropagation();
          onOpen(name);
        }}
      >
        <notebookIcon.react tag="span" />
      </button>
    </div>
  );
}
