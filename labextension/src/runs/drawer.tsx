import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useState } from 'react';
import { RunActions } from './actions';
import { formatSeconds, formatValue, secondsSoFar } from './format';
import { useRuns } from './hooks';
import { Log } from './log';
import { RunList } from './runlist';
import type { RunsModel } from './session';
import { RunStateChip } from './state';
import { StepDetails } from './stepdetails';
import { Timeline } from './timeline';

export interface IRunsDrawerProps {
  model: RunsModel;
  trans: TranslationBundle;
  /** Open an executed notebook: of the last attempt, if none is given. */
  onOpenNotebook(run: string, step: string, attempt?: number): void;
  /** A step was chosen here. */
  onSelectStep(step: string): void;
  /** Execute a command on a run, or on a step of it. */
  execute(command: string, args: { run: string; step?: string }): void;
}

type Tab = 'runs' | 'timeline' | 'log';

/** The runs of a document: which there are, and what one of them did. */
export function RunsDrawer(props: IRunsDrawerProps): JSX.Element {
  const { model, trans } = props;
  const [tab, setTab] = useState<Tab>('runs');
  useRuns(model);
  const tabs: [Tab, string][] = [
    ['runs', trans.__('Runs')],
    ['timeline', trans.__('Timeline')],
    ['log', trans.__('Log')]
  ];
  return (
    <div className="mlwf-Runs">
      <div className="mlwf-Runs-bar">
        <div role="tablist" aria-label={trans.__('Runs of this workflow')}>
          {tabs.map(([id, label]) => (
            <button
              key={id}
              role="tab"
              className="mlwf-Runs-tab"
              aria-selected={tab === id}
              onClick={() => setTab(id)}
            >
              {label}
            </button>
          ))}
        </div>
        <Summary {...props} />
      </div>
      {model.error && (
        <p className="mlwf-Runs-error" role="alert">
          {model.error}{' '}
          <button
            className="mlwf-Runs-link"
            onClick={() => void model.reload()}
          >
            {trans.__('Try again')}
          </button>
        </p>
      )}
      <div className="mlwf-Runs-content" role="tabpanel">
        {tab === 'runs' ? (
          <RunList model={model} trans={trans} />
        ) : (
          <CurrentRun {...props} tab={tab} />
        )}
      </div>
    </div>
  );
}

/** One line on the run that is shown. */
function Summary(props: IRunsDrawerProps): JSX.Element | null {
  const { model, trans, execute } = props;
  const run = model.current;
  if (!run) {
    return null;
  }
  const seconds =
    run.seconds ??
    (run.started && model.live
      ? secondsSoFar(run.started, model.client.now())
      : null);
  const defaults = model.workflow?.parameters ?? {};
  const changed = Object.entries(run.parameters).filter(
    ([name, value]) =>
      model.workflow &&
      JSON.stringify(value) !== JSON.stringify(defaults[name]?.default)
  );
  const values = changed
    .map(([name, value]) => `${name} = ${formatValue(value)}`)
    .join(', ');
  return (
    <div className="mlwf-Runs-summary" data-run={run.number}>
      {!model.connected && (
        <span className="mlwf-Runs-offline" role="status">
          {trans.__('Connecting…')}
        </span>
      )}
      {values && (
        <span
          className="mlwf-Runs-values"
          title={
            trans.__('Parameters that differ from their defaults') +
            `: ${values}`
          }
        >
          {values}
        </span>
      )}
      <span>{trans.__('Run %1', run.number)}</span>
      <RunStateChip state={run.state} trans={trans} />
      {seconds !== null && <span>{formatSeconds(seconds)}</span>}
      <RunActions
        run={run}
        workflow={model.workflow}
        trans={trans}
        execute={command => execute(command, { run: run.id })}
      />
    </div>
  );
}

function CurrentRun(props: IRunsDrawerProps & { tab: Tab }): JSX.Element {
  const { model, trans, tab, onOpenNotebook, onSelectStep } = props;
  const run = model.current;
  if (!run) {
    return (
      <p className="mlwf-Runs-empty">
        {trans.__('No run yet: press Run, and its steps show up here.')}
      </p>
    );
  }
  const name =
    model.selectedStep !== null && model.selectedStep in run.steps
      ? model.selectedStep
      : null;
  const select = (step: string) => {
    model.selectedStep = step;
    onSelectStep(step);
  };
  const now = model.client.now();
  return (
    <div className="mlwf-Runs-split">
      <Timeline
        run={run}
        now={now}
        selected={name}
        trans={trans}
        onSelect={select}
        onOpen={step => onOpenNotebook(run.id, step)}
      />
      <div className="mlwf-Runs-side">
        {name === null ? (
          <p className="mlwf-Runs-empty">
            {trans.__('Choose a step to see what it did.')}
          </p>
        ) : tab === 'log' ? (
          <Log model={model} run={run} name={name} trans={trans} />
        ) : (
          <StepDetails
            run={run}
            name={name}
            definition={model.workflow?.steps?.[name]}
            now={now}
            trans={trans}
            onOpen={attempt => onOpenNotebook(run.id, name, attempt)}
            onShowRun={other => void model.select(other)}
            execute={props.execute}
          />
        )}
      </div>
    </div>
  );
}
