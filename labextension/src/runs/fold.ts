import type {
  Artifact,
  Attempt,
  Check,
  RunEvent,
  RunRecord,
  RunState,
  RunSummary,
  StepRecord,
  StepState,
  Workflow
} from '../api/types';

// The twin of `core/run.py` (create, apply) and `core/record.py`; `tests/contract/runs.json` holds both to the same cases.

type Data = Record<string, unknown>;
type FailureReason = StepRecord['reason'];

/** States in which nothing will change any more. */
const RUN_ENDED: readonly RunState[] = ['succeeded', 'failed', 'stopped'];

/** Whether a run will not change any more. */
export function hasEnded(run: RunSummary): boolean {
  return RUN_ENDED.includes(run.state);
}

/** The record that a `run.created` event begins. */
export function createRecord(event: RunEvent): RunRecord {
  const data = event.data as {
    number: number;
    workflow: Workflow;
    origin: { path: string; release?: string | null };
    parameters: Data;
  };
  const steps = Object.entries(data.workflow.steps ?? {}).map(
    ([name, step]): [string, StepRecord] => [
      name,
      { title: step.title ?? null, ...untouched(), attempts: 0, history: [] }
    ]
  );
  return {
    id: event.run,
    number: data.number,
    workflow: data.workflow.name,
    title: data.workflow.title ?? null,
    path: data.origin.path,
    release: data.origin.release ?? null,
    state: 'queued',
    created: event.time,
    started: null,
    finished: null,
    seconds: null,
    seq: event.seq,
    parameters: data.parameters,
    steps: Object.fromEntries(steps)
  };
}

/**
 * The record after some more events.
 *
 * Events of other runs, and those that are in the record already, are passed over. The given record and the steps
 * that did not change stay the same objects.
 */
export function applyEvents(record: RunRecord, events: RunEvent[]): RunRecord {
  const fresh = events.filter(
    event => event.run === record.id && event.seq > record.seq
  );
  if (!fresh.length) {
    return record;
  }
  let run = { ...record, steps: { ...record.steps } };
  for (const event of fresh) {
    run.seq = event.seq;
    if (event.type === 'run.changed') {
      const { parameters } = event.data as { parameters: Data };
      run.parameters = { ...run.parameters, ...parameters };
    } else if (event.step == null) {
      run = applyToSummary(run, event);
    } else {
      run.steps[event.step] = applyToStep(run.steps[event.step], event);
    }
  }
  return run;
}

/** A row of a list of runs after one more event of its run. */
export function applyToSummary<T extends RunSummary>(
  run: T,
  event: RunEvent
): T {
  switch (event.type) {
    case 'run.started':
      return { ...run, state: 'running', started: event.time };
    case 'run.paused':
      return { ...run, state: 'waiting' };
    case 'run.continued':
      return { ...run, state: 'running', started: run.started ?? event.time };
    case 'run.retried':
      return {
        ...run,
        state: 'running',
        started: run.started ?? event.time,
        finished: null,
        seconds: null
      };
    case 'run.stopping':
      return { ...run, state: 'stopping' };
    case 'run.finished':
      return {
        ...run,
        state: (event.data as { state: RunState }).state,
        finished: event.time,
        seconds: run.started && secondsBetween(run.started, event.time)
      };
    default:
      return run;
  }
}

function applyToStep(step: StepRecord, event: RunEvent): StepRecord {
  const { name, ...rest } = (event.data ?? {}) as Data & { name: string };
  switch (event.type) {
    case 'step.queued':
      return { ...step, state: 'queued' };
    case 'step.started':
      return start(step, event);
    case 'step.progress':
      return { ...step, progress: rest as StepRecord['progress'] };
    case 'step.output':
      return { ...step, outputs: { ...step.outputs, [name]: rest.value } };
    case 'step.artifact': {
      const artifact = { sha256: null, ...rest } as Artifact;
      return { ...step, artifacts: { ...step.artifacts, [name]: artifact } };
    }
    case 'step.metric': {
      const value = rest.value as number | null;
      return { ...step, metrics: { ...step.metrics, [name]: value } };
    }
    case 'step.check': {
      const check = { ...UNBOUNDED, ...rest } as Check;
      return { ...step, checks: { ...step.checks, [name]: check } };
    }
    case 'step.succeeded':
      return end(step, event, 'succeeded');
    case 'step.failed':
      return {
        ...end(step, event, 'failed'),
        cell: (rest.cell as number | undefined) ?? null
      };
    case 'step.stopped':
      return end(step, event, 'stopped');
    case 'step.lost':
      return {
        ...endAttempt(step, event, 'failed', 'lost'),
        state: 'pending',
        started: null,
        progress: null
      };
    case 'step.cached':
      return serve(step, event);
    case 'step.retried':
      return {
        ...beginAnew(step),
        not_before: (rest.at as string | undefined) ?? null
      };
    default:
      return step;
  }
}

const UNBOUNDED: Omit<Check, 'value' | 'passed'> = {
  min: null,
  max: null,
  kind: 'data',
  cause: null,
  samples: []
};

function untouched(): Omit<StepRecord, 'title' | 'attempts' | 'history'> {
  return {
    state: 'pending',
    reason: null,
    message: null,
    cell: null,
    started: null,
    finished: null,
    seconds: null,
    not_before: null,
    progress: null,
    parameters: {},
    outputs: {},
    artifacts: {},
    metrics: {},
    checks: {},
    notebook: null,
    source: null,
    not_cached: null
  };
}

/** The step with what an attempt of an earlier run left. */
function serve(step: StepRecord, event: RunEvent): StepRecord {
  const { parameters, outputs, artifacts, metrics, checks, source } =
    event.data as unknown as StepRecord;
  return {
    ...beginAnew(step),
    ...{ parameters, outputs, artifacts, metrics, checks, source },
    state: 'cached',
    started: event.time,
    finished: event.time,
    seconds: null,
    notebook: source?.notebook ?? null
  };
}

/** The step with nothing but its attempts, the last of which still says what was executed and how long it took. */
function beginAnew(step: StepRecord): StepRecord {
  const last = step.history.at(-1);
  return {
    ...step,
    ...untouched(),
    seconds: last?.finished
      ? secondsBetween(last.started, last.finished)
      : null,
    notebook: last?.notebook ?? null
  };
}

function start(step: StepRecord, event: RunEvent): StepRecord {
  const data = event.data as {
    attempt: number;
    notebook: string;
    parameters: Data;
    not_cached?: string | null;
  };
  const attempt: Attempt = {
    number: data.attempt,
    state: 'running',
    reason: null,
    message: null,
    started: event.time,
    finished: null,
    notebook: data.notebook
  };
  return {
    title: step.title,
    ...untouched(),
    state: 'running',
    started: event.time,
    parameters: data.parameters,
    not_cached: data.not_cached ?? null,
    attempts: step.history.length + 1,
    history: [...step.history, attempt],
    notebook: data.notebook
  };
}

function end(step: StepRecord, event: RunEvent, state: StepState): StepRecord {
  const { reason, message } = outcome(event);
  return {
    ...endAttempt(step, event, state, reason),
    state,
    finished: event.time,
    reason,
    message
  };
}

function endAttempt(
  step: StepRecord,
  event: RunEvent,
  state: StepState,
  reason: FailureReason
): StepRecord {
  const attempt = step.history[step.history.length - 1];
  if (!attempt || attempt.finished !== null) {
    return step; // it ended before its notebook was started
  }
  const ended: Attempt = {
    ...attempt,
    state,
    reason,
    message: outcome(event).message,
    finished: event.time
  };
  return {
    ...step,
    seconds: secondsBetween(attempt.started, event.time),
    history: [...step.history.slice(0, -1), ended]
  };
}

function outcome(event: RunEvent): {
  reason: FailureReason;
  message: string | null;
} {
  const { reason, message } = (event.data ?? {}) as Data;
  return {
    reason: (reason as FailureReason | undefined) ?? null,
    message: (message as string | undefined) ?? null
  };
}

/** Seconds from one time to another, to the microsecond: `Date` knows milliseconds only. */
function secondsBetween(from: string, to: string): number {
  return (microseconds(to) - microseconds(from)) / 1e6;
}

function microseconds(time: string): number {
  const [, whole, fraction = '', zone] =
    /^([^.Z+]+?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(time) ?? [];
  return (
    Date.parse(`${whole}${zone}`) * 1000 +
    Number(fraction.padEnd(6, '0').slice(0, 6))
  );
}
