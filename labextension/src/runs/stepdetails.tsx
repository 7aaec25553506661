import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { Check, StepRecord } from '../api/types';
import {
  formatBytes,
  formatNumber,
  formatSeconds,
  formatValue,
  reasonWord,
  stepSeconds
} from './format';
import { StateChip } from './state';

export interface IStepDetailsProps {
  name: string;
  step: StepRecord;
  /** Time of the server, in milliseconds. */
  now: number;
  trans: TranslationBundle;
  onOpen(attempt?: number): void;
}

/** What one step of a run took, did and recorded. */
export function StepDetails(props: IStepDetailsProps): JSX.Element {
  const { name, step, now, trans, onOpen } = props;
  const seconds = stepSeconds(step, now);
  const checks = Object.entries(step.checks);
  return (
    <section className="mlwf-Details" aria-label={trans.__('Step %1', name)}>
      <header className="mlwf-Details-header">
        <strong title={name}>{step.title ?? name}</strong>
        <StateChip state={step.state} trans={trans} />
        {seconds !== null && <span>{formatSeconds(seconds)}</span>}
        {step.notebook && (
          <button
            className="mlwf-Details-open mlwf-Runs-link"
            onClick={() => onOpen()}
          >
            {trans.__('Open executed notebook')}
          </button>
        )}
      </header>
      {step.state === 'failed' && <Failure step={step} trans={trans} />}
      {checks.length > 0 && (
        <Part title={trans.__('Checks')}>
          {checks.map(([key, check]) => (
            <CheckRow key={key} name={key} check={check} trans={trans} />
          ))}
        </Part>
      )}
      <Values
        title={trans.__('Metrics')}
        values={step.metrics}
        show={formatNumber}
      />
      <Values
        title={trans.__('Outputs')}
        values={step.outputs}
        show={formatValue}
      />
      <Values
        title={trans.__('Artifacts')}
        values={step.artifacts}
        show={artifact => `${formatBytes(artifact.bytes)} · ${artifact.path}`}
      />
      <Values
        title={trans.__('Parameters')}
        values={step.parameters}
        show={formatValue}
      />
      {step.attempts > 1 && <Attempts {...props} />}
    </section>
  );
}

function Failure(props: {
  step: StepRecord;
  trans: TranslationBundle;
}): JSX.Element {
  const { step, trans } = props;
  return (
    <div className="mlwf-Details-failure" role="alert">
      <strong>
        {trans.__('Failed')}
        {step.reason && `: ${reasonWord(step.reason, trans)}`}
        {step.cell !== null && ` ${trans.__('in cell %1', step.cell + 1)}`}
      </strong>
      {step.message && <pre>{step.message}</pre>}
    </div>
  );
}

function Part(props: {
  title: string;
  children: React.ReactNode;
}): JSX.Element {
  return (
    <div className="mlwf-Details-part">
      <h4>{props.title}</h4>
      {props.children}
    </div>
  );
}

function Values<T>(props: {
  title: string;
  values: Record<string, T>;
  show: (value: T) => string;
}): JSX.Element | null {
  const entries = Object.entries(props.values);
  if (!entries.length) {
    return null;
  }
  return (
    <Part title={props.title}>
      <dl className="mlwf-Details-values">
        {entries.map(([name, value]) => {
          const text = props.show(value);
          return (
            <React.Fragment key={name}>
              <dt title={name}>{name}</dt>
              <dd title={text}>{text}</dd>
            </React.Fragment>
          );
        })}
      </dl>
    </Part>
  );
}

function CheckRow(props: {
  name: string;
  check: Check;
  trans: TranslationBundle;
}): JSX.Element {
  const { name, check, trans } = props;
  const bounds = [
    check.min !== null && `≥ ${formatNumber(check.min)}`,
    check.max !== null && `≤ ${formatNumber(check.max)}`
  ].filter(Boolean);
  const value =
    typeof check.value === 'number' || check.value === null
      ? formatNumber(check.value)
      : formatValue(check.value);
  // A cause that the notebook gives is one only if the check did not pass.
  const cause = check.passed ? null : check.cause;
  const samples = check.samples ?? [];
  return (
    <div
      className={`mlwf-Check ${check.passed ? 'mlwf-mod-passed' : 'mlwf-mod-notPassed'}`}
      data-check={name}
    >
      <span className="mlwf-Check-mark">
        {check.passed
          ? `✓ ${trans.__('passed')}`
          : `✗ ${trans.__('not passed')}`}
      </span>{' '}
      {name} = {value}{' '}
      <span className="mlwf-Check-bounds">
        {bounds.join(trans.__(' and '))} · {check.kind}
      </span>
      {cause && <div className="mlwf-Check-cause">{cause}</div>}
      {samples.length > 0 && (
        <details>
          <summary>
            {trans._n('%1 sample', '%1 samples', samples.length)}
          </summary>
          <pre>{samples.map(formatValue).join('\n')}</pre>
        </details>
      )}
    </div>
  );
}

function Attempts(props: IStepDetailsProps): JSX.Element {
  const { step, trans, onOpen } = props;
  return (
    <Part title={trans.__('Attempts')}>
      {step.history.map(attempt => (
        <div key={attempt.number} className="mlwf-Details-attempt">
          <button
            className="mlwf-Runs-link"
            title={trans.__('Open the notebook of this attempt')}
            onClick={() => onOpen(attempt.number)}
          >
            {trans.__('Attempt %1', attempt.number)}
          </button>
          <StateChip state={attempt.state} trans={trans} />
          {attempt.reason && reasonWord(attempt.reason, trans)}
        </div>
      ))}
    </Part>
  );
}
