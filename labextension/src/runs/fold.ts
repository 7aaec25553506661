import type {
  Answer,
  Artifact,
  Attempt,
  Check,
  RunEvent,
  RunRecord,
  RunState,
  RunSummary,
  StepRecord,
  StepState,
  Waiting,
  Workflow
} from '../api/types';

// The twin of `core/fold.py` and `core/record.py`; `tests/contract/runs.json` holds both to the same cases. Only the
// outputs of a run as a whole are left as the server said they are: they may be computed.

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
    steps?: string[] | null;
    given?: Record<string, Partial<StepRecord> & { items?: unknown[] | null }>;
  };
  const titleOf = (name: string) =>
    data.workflow.steps?.[loopOf(name)]?.title ?? null;
  const selected = data.steps ?? Object.keys(data.workflow.steps ?? {});
  const steps = [
    ...Object.entries(data.given ?? {}).map(
      ([name, step]): [string, StepRecord] => [name, given(titleOf(name), step)]
    ),
    ...selected.map((name): [string, StepRecord] => [
      name,
      { title: titleOf(name), ...untouched(), attempts: 0, history: [] }
    ])
  ];
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
    outputs: {},
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
    } else if (event.type === 'step.expanded') {
      run.steps = expand(run.steps, event.step, event);
    } else if (event.type === 'step.retried' && !isResumed(event)) {
      run.steps = withTurns(run.steps, event.step, 0);
      run.steps[event.step] = applyToStep(run.steps[event.step], event);
    } else if (event.type === 'step.answered') {
      const step = run.steps[event.step];
      const { answer } = event.data as { answer: Answer };
      if (step.waiting?.what === 'parameters') {
        run.parameters = { ...run.parameters, ...answer.values };
      }
      run.steps[event.step] = takeAnswer(step, event);
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
    case 'run.waiting':
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
      const artifact = whole({ [name]: rest as Artifact });
      return { ...step, artifacts: { ...step.artifacts, ...artifact } };
    }
    case 'step.metric': {
      const value = rest.value as number | null;
      return { ...step, metrics: { ...step.metrics, [name]: value } };
    }
    case 'step.check': {
      const check = { ...UNBOUNDED, ...rest } as Check;
      return { ...step, checks: { ...step.checks, [name]: check } };
    }
    case 'step.skipped':
      return end(step, event, 'skipped');
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
    case 'step.waiting':
      return wait(step, event);
    case 'step.retried':
      if (isResumed(event)) {
        return {
          ...step,
          state: 'running',
          reason: null,
          message: null,
          finished: null
        };
      }
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
    not_cached: null,
    waiting: null,
    answer: null,
    child: null,
    turns: null
  };
}

/** The step in the document that a step of a run is, or is a turn of. */
function loopOf(step: string): string {
  return step.split('.', 1)[0];
}

/** A loop that was retried goes on with its turns; anything else begins anew. */
function isResumed(event: RunEvent): boolean {
  return (event.data as { resumed?: boolean }).resumed === true;
}

/** A result of an earlier run that a part of a workflow is given. */
function given(
  title: string | null,
  step: Partial<StepRecord> & { items?: unknown[] | null }
): StepRecord {
  const known = untouched();
  const found = Object.fromEntries(
    Object.entries(step).filter(([key]) => key in known)
  );
  return {
    title,
    ...known,
    ...found,
    notebook: step.source?.notebook ?? null,
    turns: step.items?.length ?? null,
    attempts: 0,
    history: []
  };
}

type Steps = Record<string, StepRecord>;

/** The steps without the turns of a loop from one on. */
function withTurns(steps: Steps, loop: string, count: number): Steps {
  return Object.fromEntries(
    Object.entries(steps).filter(
      ([name]) =>
        name === loop ||
        loopOf(name) !== loop ||
        Number(name.slice(loop.length + 1)) < count
    )
  );
}

/** The steps with the turns of a loop that begins. */
function expand(steps: Steps, loop: string, event: RunEvent): Steps {
  const { items } = event.data as { items: unknown[] };
  const expanded = withTurns(steps, loop, items.length);
  const step = expanded[loop];
  expanded[loop] = {
    ...step,
    state: 'running',
    started: event.time,
    turns: items.length
  };
  items.forEach((_, index) => {
    const turn = `${loop}.${index}`;
    const title = step.title === null ? null : `${step.title} ${index}`;
    const history = expanded[turn]?.history ?? [];
    const anew = { title, ...untouched(), attempts: history.length, history };
    expanded[turn] = beginAnew(anew);
  });
  return expanded;
}

function wait(step: StepRecord, event: RunEvent): StepRecord {
  const { what, until, names, parameters, cell, message } =
    event.data as unknown as Waiting & Partial<StepRecord>;
  let waiting = step;
  if (what === 'person' || what === 'label') {
    waiting = {
      ...beginAnew(step),
      started: event.time,
      parameters: parameters ?? {}
    };
  } else if (what === 'check') {
    waiting = {
      ...endAttempt(step, event, 'failed', 'check'),
      cell: cell ?? null,
      message: message ?? null
    };
  }
  return {
    ...waiting,
    state: 'waiting',
    waiting: {
      what,
      since: event.time,
      until: until ? normal(until) : null,
      names: names ?? []
    }
  };
}

/** What follows from an answer depends on what was asked. */
function takeAnswer(step: StepRecord, event: RunEvent): StepRecord {
  const { answer, outputs, artifacts } = event.data as unknown as {
    answer: Answer;
  } & Partial<StepRecord>;
  const what = step.waiting?.what;
  const answered: StepRecord = { ...step, answer, waiting: null };
  if (what === 'parameters') {
    return { ...answered, state: 'pending' };
  }
  const isApproved = answer.decision === 'approve';
  const by = answer.by ?? 'the default, since nobody answered in time';
  return {
    ...answered,
    ...(what === 'check'
      ? {}
      : { outputs: outputs ?? {}, artifacts: whole(artifacts ?? {}) }),
    state: isApproved ? 'succeeded' : 'failed',
    reason: isApproved ? null : what === 'check' ? 'check' : 'rejected',
    message:
      `${isApproved ? 'Approved' : 'Rejected'} by ${by}` +
      (answer.comment ? `: ${answer.comment}` : '.'),
    finished: event.time
  };
}

/** Artifacts with all that the server says of them, whatever version wrote the event. */
function whole(given: {
  [name: string]: Partial<Artifact>;
}): StepRecord['artifacts'] {
  return Object.fromEntries(
    Object.entries(given).map(([name, artifact]) => [
      name,
      { sha256: null, url: null, ...artifact } as Artifact
    ])
  );
}

/** A time as the server writes it. */
function normal(time: string): string {
  return time.replace('+00:00', 'Z');
}

/** The step with what an attempt of an earlier run left. */
function serve(step: StepRecord, event: RunEvent): StepRecord {
  const { parameters, outputs, artifacts, metrics, checks, source } =
    event.data as unknown as StepRecord;
  return {
    ...beginAnew(step),
    ...{
      parameters,
      outputs,
      artifacts: whole(artifacts),
      metrics,
      checks,
      source
    },
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
    notebook?: string | null;
    parameters: Data;
    not_cached?: string | null;
    child?: string | null;
  };
  const attempt: Attempt = {
    number: data.attempt,
    state: 'running',
    reason: null,
    message: null,
    started: event.time,
    finished: null,
    notebook: data.notebook ?? null
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
    notebook: data.notebook ?? null,
    child: data.child ?? null
  };
}

function end(step: StepRecord, event: RunEvent, state: StepState): StepRecord {
  const { reason, message } = outcome(event);
  return {
    ...endAttempt(step, event, state, reason),
    state,
    waiting: null,
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
