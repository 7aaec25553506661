import type { TranslationBundle } from '@jupyterlab/translation';
import {
  editIcon,
  pauseIcon,
  refreshIcon,
  runIcon,
  stopIcon,
  type LabIcon
} from '@jupyterlab/ui-components';
import React from 'react';
import type { RunRecord, Workflow } from '../api/types';
import { canChange, canContinue, canPause, canRetry, canStop } from './control';
import { hasEnded } from './fold';
import { RunCommandIDs } from './ids';

/** What can be done with the run that is shown. */
export function RunActions(props: {
  run: RunRecord;
  workflow: Workflow | null;
  trans: TranslationBundle;
  execute(command: string): void;
}): JSX.Element {
  const { run, workflow, trans, execute } = props;
  const action = (
    command: string,
    icon: LabIcon,
    title: string,
    isEnabled: boolean
  ) => (
    <button
      className="mlwf-Runs-action jp-Button jp-mod-minimal"
      data-command={command}
      title={title}
      aria-label={title}
      disabled={!isEnabled}
      onClick={() => execute(command)}
    >
      <icon.react tag="span" />
    </button>
  );
  return (
    <div
      className="mlwf-Runs-actions"
      role="group"
      aria-label={trans.__('Actions on run %1', run.number)}
    >
      {hasEnded(run) ? (
        action(
          RunCommandIDs.retry,
          refreshIcon,
          trans.__('Retry the steps that did not succeed'),
          canRetry(run)
        )
      ) : (
        <>
          {action(
            RunCommandIDs.change,
            editIcon,
            trans.__('Change parameters, for the steps that have not started'),
            canChange(run, workflow)
          )}
          {run.state === 'waiting'
            ? action(
                RunCommandIDs.continue,
                runIcon,
                trans.__('Continue: start steps again'),
                canContinue(run)
              )
            : action(
                RunCommandIDs.pause,
                pauseIcon,
                trans.__('Pause: start no more steps'),
                canPause(run)
              )}
          {action(
            RunCommandIDs.stop,
            stopIcon,
            trans.__('Stop the run'),
            canStop(run)
          )}
        </>
      )}
    </div>
  );
}
