import { Time } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import type { Check, RunRecord, StepRecord } from '../api/types';
import type { Step } from '../model/types';
import { canRetryStep, canStopStep } from './control';
import {
  formatBytes,
  formatNumber,
  formatSeconds,
  formatValue,
  reasonWord,
  secondsSoFar,
  secondsToRetry,
  stepSeconds
} from './format';
import { RunCommandIDs } from './ids';
import { StateChip } from './state';

export interface IStepDetailsProps {
  run: RunRecord;
  name: string;
  /** The step as the run runs it; undefined until that is known. */
  definition: Step | undefined;
  /** Time of the server, in milliseconds. */
  now: number;
  trans: TranslationBundle;
  onOpen(attempt?: number): void;
  /** Show another run. */
  onShowRun(run: string): void;
  /** Execute a command on the step. */
  execute(command: string, args: { run: string; step: string }): void;
}

/** What one step of a run took, did and recorded. */
export function StepDetails(props: IStepDetailsProps): JSX.Element {
  const { run, name, definition, now, trans, onOpen, execute } = props;
  const step = run.steps[name];
  const ofStep = { run: run.id, step: name };
  const seconds = stepSeconds(step, now);
  const checks = Object.entries(step.checks);
  return (
    <section className="mlwf-Details" aria-label={trans.__('Step %1', name)}>
      <header className="mlwf-Details-header">
        <strong title={name}>{step.title ?? name}</strong>
        <StateChip state={step.state} trans={trans} />
        {seconds !== null && <span>{formatSeconds(seconds)}</span>}
        <span className="mlwf-Details-actions">
          {canStopStep(run, name) && (
            <button
              className="mlwf-Runs-link"
              title={trans.__(
                'Stop this step; the run goes on with the others'
              )}
              onClick={() => execute(RunCommandIDs.stopStep, ofStep)}
            >
              {trans.__('Stop this step')}
            </button>
          )}
          {canRetryStep(run, name) && (
            <button
              className="mlwf-Runs-link"
              title={trans.__(
                'Run this step again, and all that follows from it'
              )}
              onClick={() => execute(RunCommandIDs.retryStep, ofStep)}
            >
              {trans.__('Retry from here')}
            </button>
          )}
          {step.notebook && (
            <button className="mlwf-Runs-link" onClick={() => onOpen()}>
              {trans.__('Open executed notebook')}
            </button>
          )}
        </span>
      </header>
      <Origin {...props} step={step} />
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
      <Limits definition={definition} trans={trans} />
      {(step.attempts > 1 || step.not_before) && (
        <Attempts {...props} step={step} />
      )}
    </section>
  );
}

/** Where the result comes from, or why it could not come from an earlier run. */
function Origin(
  props: IStepDetailsProps & { step: StepRecord }
): JSX.Element | null {
  const { step, trans, onShowRun } = props;
  const { source } = step;
  if (source) {
    return (
      <p className="mlwf-Details-origin">
        {trans.__('Nothing was executed: the result is')}{' '}
        <button
          className="mlwf-Runs-link"
          title={trans.__('Show the run that the result comes from')}
          onClick={() => onShowRun(source.run)}
        >
          {trans.__('from run %1', source.number)}
        </button>
        {` · ${formatSeconds(source.seconds)} · `}
        <span title={Time.format(new Date(source.finished))}>
          {Time.formatHuman(new Date(source.finished))}
        </span>
      </p>
    );
  }
  return step.not_cached ? (
    <p className="mlwf-Details-origin">
      {trans.__('Executed, not taken from an earlier run:')} {step.not_cached}
    </p>
  ) : null;
}

/** What the workflow grants the step, where it says something. */
function Limits(props: {
  definition: Step | undefined;
  trans: TranslationBundle;
}): JSX.Element {
  const { definition = {} as Partial<Step>, trans } = props;
  const { timeout, resources = {}, retries } = definition;
  const { cpus, memory, gpus } = resources;
  const values = [
    [trans.__('Timeout'), timeout],
    [trans.__('CPUs'), cpus === 1 ? undefined : cpus],
    [trans.__('Memory'), memory],
    [trans.__('GPUs'), gpus || undefined],
    [
      trans.__('Retries'),
      retries?.count
        ? [
            retries.count,
            retries.delay && trans.__('after %1', retries.delay),
            (retries.backoff ?? 1) !== 1 && `× ${retries.backoff}`
          ]
            .filter(Boolean)
            .join(' ')
        : undefined
    ]
  ].filter(([, value]) => value !== undefined && value !== null);
  return (
    <Values
      title={trans.__('Limits')}
      values={Object.fromEntries(values) as Record<string, unknown>}
      show={String}
    />
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

function Attempts(
  props: IStepDetailsProps & { step: StepRecord }
): JSX.Element {
  const { step, now, trans, onOpen } = props;
  const wait = secondsToRetry(step, now);
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
          {attempt.finished &&
            ` · ${formatSeconds(secondsSoFar(attempt.started, Date.parse(attempt.finished)))}`}
          {attempt.message && (
            <span className="mlwf-Details-message" title={attempt.message}>
              {attempt.message.split('\n', 1)[0]}
            </span>
          )}
        </div>
      ))}
      {wait !== null && (
        <div className="mlwf-Details-attempt" role="status">
          {trans.__('The next attempt starts in %1.', formatSeconds(wait))}
        </div>
      )}
    </Part>
  );
}
