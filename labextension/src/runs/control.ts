import type { RunRecord, RunSummary, StepState, Workflow } from '../api/types';
import { hasEnded } from './fold';

// What can be asked of a run now. The server judges by itself; this is for what is offered.

const GOOD: readonly StepState[] = ['succeeded', 'cached'];

export function canStop(run: RunSummary): boolean {
  return !hasEnded(run) && run.state !== 'stopping';
}

export function canPause(run: RunSummary): boolean {
  return run.state === 'queued' || run.state === 'running';
}

export function canContinue(run: RunSummary): boolean {
  return run.state === 'waiting';
}

/** Whether parameters can be changed, for steps that have not started. */
export function canChange(
  run: RunRecord,
  workflow: Pick<Workflow, 'parameters'> | null
): boolean {
  return (
    canStop(run) &&
    Object.keys(workflow?.parameters ?? {}).length > 0 &&
    Object.values(run.steps).some(
      ({ state }) => state === 'pending' || state === 'queued'
    )
  );
}

/** Whether there are steps to run again that did not succeed. */
export function canRetry(run: RunRecord): boolean {
  return (
    hasEnded(run) &&
    Object.values(run.steps).some(({ state }) => !GOOD.includes(state))
  );
}

export function canStopStep(run: RunRecord, step: string): boolean {
  return canStop(run) && run.steps[step]?.state === 'running';
}

/** Whether a step, and what follows from it, can run again. */
export function canRetryStep(run: RunRecord, step: string): boolean {
  return hasEnded(run) && step in run.steps;
}
