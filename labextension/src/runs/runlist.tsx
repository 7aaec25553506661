import { Time } from '@jupyterlab/coreutils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { stopIcon } from '@jupyterlab/ui-components';
import React from 'react';
import type { RunSummary } from '../api/types';
import { canStop } from './control';
import { hasEnded } from './fold';
import { formatSeconds, secondsSoFar } from './format';
import type { RunsModel } from './session';
import { RunStateChip } from './state';

/** The runs of a workflow, the newest on top. */
export function RunList(props: {
  model: RunsModel;
  trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  if (!model.runs.length) {
    return (
      <p className="mlwf-Runs-empty">
        {model.loaded
          ? trans.__('No run yet: press Run, and it shows up here.')
          : trans.__('Loading…')}
      </p>
    );
  }
  return (
    <>
      <table className="mlwf-Runs-table">
        <thead>
          <tr>
            <th>{trans.__('Run')}</th>
            <th>{trans.__('State')}</th>
            <th>{trans.__('Started')}</th>
            <th>{trans.__('Time')}</th>
            <th>{trans.__('Release')}</th>
            <th aria-label={trans.__('Actions')} />
          </tr>
        </thead>
        <tbody>
          {model.runs.map(run => (
            <RunRow key={run.id} run={run} model={model} trans={trans} />
          ))}
        </tbody>
      </table>
      {model.hasMore && (
        <button
          className="mlwf-Runs-more jp-Button jp-mod-styled jp-mod-minimal"
          onClick={() => void model.loadMore()}
        >
          {trans.__('Load older runs')}
        </button>
      )}
    </>
  );
}

function RunRow(props: {
  run: RunSummary;
  model: RunsModel;
  trans: TranslationBundle;
}): JSX.Element {
  const { run, model, trans } = props;
  const began = run.started ?? run.created;
  const selected = model.current?.id === run.id;
  const seconds =
    run.seconds ??
    (run.started && !hasEnded(run)
      ? secondsSoFar(run.started, model.client.now())
      : null);
  return (
    <tr
      className={selected ? 'mlwf-mod-selected' : undefined}
      data-run={run.number}
      onClick={() => void model.select(run.id)}
    >
      <td>
        <button
          className="mlwf-Runs-link"
          aria-pressed={selected}
          title={trans.__('Show this run')}
        >
          {run.number}
        </button>
      </td>
      <td>
        <RunStateChip state={run.state} trans={trans} />
      </td>
      <td title={Time.format(new Date(began))}>
        {Time.formatHuman(new Date(began))}
      </td>
      <td className="mlwf-mod-number">
        {seconds !== null && formatSeconds(seconds)}
      </td>
      <td>{run.release}</td>
      <td>
        {!hasEnded(run) && (
          <button
            className="mlwf-Runs-action jp-Button jp-mod-minimal"
            title={trans.__('Stop run %1', run.number)}
            disabled={!canStop(run)}
            onClick={event => {
              event.stopPropagation();
              void model.stop(run.id);
            }}
          >
            <stopIcon.react tag="span" />
          </button>
        )}
      </td>
    </tr>
  );
}
