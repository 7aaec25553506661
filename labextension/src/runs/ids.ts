import { OPEN_EXECUTED } from './executed';

/** Commands on runs. */
export const RunCommandIDs = {
  run: 'mlwf:run',
  stop: 'mlwf:stop',
  pause: 'mlwf:pause',
  continue: 'mlwf:continue',
  change: 'mlwf:change-parameters',
  retry: 'mlwf:retry',
  stopStep: 'mlwf:stop-step',
  retryStep: 'mlwf:retry-step',
  openExecuted: OPEN_EXECUTED
} as const;
