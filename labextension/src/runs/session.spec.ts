import { Signal } from '@lumino/signaling';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { MLWFClient } from '../api/client';
import type { EventStream } from '../api/events';
import type { RunEvent, RunRecord } from '../api/types';
import cases from '../../../tests/contract/runs.json';
import { applyEvents, createRecord } from './fold';
import { RunsModel } from './session';

const EVENTS = cases[0].events as unknown as RunEvent[];
const PATH = 'work/churn.mlwf';

/** A server that holds runs, and says of each as much as has happened. */
class Server {
  readonly runs: RunRecord[] = [];
  seq = 0;
  connectedAfter: number | null = null;

  readonly stream = {
    live: true,
    connect: (after: number) => (this.connectedAfter ??= after)
  } as unknown as EventStream;
  readonly events = new Signal<EventStream, RunEvent[]>(this.stream);
  readonly state = new Signal<EventStream, 'live'>(this.stream);

  readonly client = {
    listRuns: vi.fn(async ({ path, limit = 50, before = Infinity }) => ({
      runs: this.runs
        .filter(run => run.path === path && run.number < before)
        .slice(0, limit),
      seq: this.seq
    })),
    getRun: vi.fn(async (id: string) => this.runs.find(r => r.id === id)!),
    getRunWorkflow: async () => ({ name: 'churn' }),
    stopRun: vi.fn(async () => undefined),
    startRun: async () => {
      const record = this.create('r9', 9);
      this.started.emit(record);
      return record;
    }
  } as unknown as MLWFClient;
  readonly started = new Signal<MLWFClient, RunRecord>(this.client);

  constructor() {
    Object.assign(this.stream, { events: this.events, state: this.state });
    Object.assign(this.client, { runStarted: this.started });
  }

  /** Events of the story, told of another run. */
  story(id: string, number: number, path = PATH): RunEvent[] {
    const [created, ...rest] = EVENTS.map(event => ({ ...event, run: id }));
    const origin = { path, release: null };
    return [{ ...created, data: { ...created.data, number, origin } }, ...rest];
  }

  create(id: string, number: number, path = PATH): RunRecord {
    const record = createRecord(this.story(id, number, path)[0]);
    this.runs.unshift(record);
    this.seq = record.seq;
    return record;
  }

  /** Let things happen, and tell of them. */
  happen(id: string, events: RunEvent[]): void {
    const index = this.runs.findIndex(run => run.id === id);
    this.runs[index] = applyEvents(this.runs[index], events);
    this.seq = events[events.length - 1].seq;
    this.events.emit(events);
  }

  open(path = PATH): RunsModel {
    return new RunsModel(this.client, this.stream, path);
  }
}

describe('RunsModel', () => {
  let server: Server;

  beforeEach(() => {
    server = new Server();
  });

  async function settled(model: RunsModel, id: string): Promise<void> {
    await vi.waitFor(() => expect(model.current?.id).toBe(id));
  }

  it('shows the newest run of its document, and follows from the list', async () => {
    server.create('r1', 1);
    server.create('other', 2, 'work/other.mlwf');
    server.create('r3', 3);
    const model = server.open();
    await settled(model, 'r3');
    expect(model.runs.map(run => run.number)).toEqual([3, 1]);
    expect(server.connectedAfter).toBe(server.seq);
    expect(model.live).toBe(true);
    expect(model.hasMore).toBe(false);
  });

  it('has nothing to show before the first run', async () => {
    const model = server.open();
    await vi.waitFor(() => expect(model.loaded).toBe(true));
    expect(model.current).toBeNull();
    expect(model.live).toBe(false);
    expect(model.error).toBeNull();
  });

  it('follows a run to its end, in the record and in the list', async () => {
    server.create('r1', 1);
    const model = server.open();
    await settled(model, 'r1');
    const changed = vi.fn();
    model.changed.connect(changed);
    const events = server.story('r1', 1).slice(1);
    for (const event of events) {
      server.happen('r1', [event]);
    }
    expect(model.current).toEqual(server.runs[0]);
    expect(model.step('clean')?.metrics).toMatchObject({ rows: 7032 });
    expect(model.runs[0].state).toBe('succeeded');
    expect(model.live).toBe(false);
    expect(changed).toHaveBeenCalledTimes(events.length);
  });

  it('loses no event that overtakes the answer with the record', async () => {
    server.create('r1', 1);
    const [, ...events] = server.story('r1', 1);
    const old = server.runs[0];
    vi.mocked(server.client.getRun).mockImplementationOnce(async () => {
      server.happen('r1', events.slice(0, 5));
      return old;
    });
    const model = server.open();
    await settled(model, 'r1');
    expect(model.current).toEqual(server.runs[0]);
    server.happen('r1', events.slice(5));
    expect(model.current).toEqual(server.runs[0]);
  });

  it('takes no event into the list that is older than the list', async () => {
    const record = server.create('r1', 1);
    const [, ...events] = server.story('r1', 1);
    server.runs[0] = applyEvents(record, events);
    server.seq = server.runs[0].seq;
    const model = server.open();
    await settled(model, 'r1');
    server.events.emit(events);
    expect(model.runs[0].state).toBe('succeeded');
  });

  it('shows a run that is created elsewhere', async () => {
    server.create('r1', 1);
    const model = server.open();
    await settled(model, 'r1');
    server.create('r2', 2);
    server.events.emit([server.story('r2', 2)[0]]);
    await settled(model, 'r2');
    expect(model.runs.map(run => run.number)).toEqual([2, 1]);
  });

  it('stays with a selected run, until one is started here', async () => {
    server.create('r1', 1);
    server.create('r2', 2);
    const model = server.open();
    await settled(model, 'r2');
    await model.select('r1');
    expect(model.current?.id).toBe('r1');
    server.create('r3', 3);
    server.events.emit([server.story('r3', 3)[0]]);
    expect(model.runs.map(run => run.number)).toEqual([3, 2, 1]);
    expect(model.current?.id).toBe('r1');
    await model.start({});
    await settled(model, 'r9');
    expect(model.runs.map(run => run.number)).toEqual([9, 3, 2, 1]);
  });

  it('passes over runs of other documents', async () => {
    server.create('r1', 1);
    const model = server.open();
    await settled(model, 'r1');
    server.create('r2', 2, 'work/other.mlwf');
    const changed = vi.fn();
    model.changed.connect(changed);
    server.events.emit(server.story('r2', 2, 'work/other.mlwf'));
    expect(model.runs.map(run => run.number)).toEqual([1]);
    expect(changed).not.toHaveBeenCalled();
  });

  it('loads older runs page by page', async () => {
    for (let number = 1; number <= 60; number++) {
      server.create(`r${number}`, number);
    }
    const model = server.open();
    await settled(model, 'r60');
    expect(model.hasMore).toBe(true);
    await model.loadMore();
    expect(model.runs.length).toBe(60);
    expect(model.hasMore).toBe(false);
  });

  it('loads anew when the document is renamed', async () => {
    server.create('r1', 1);
    server.create('r2', 2, 'work/other.mlwf');
    const model = server.open();
    await settled(model, 'r1');
    model.path = 'work/other.mlwf';
    expect(model.current).toBeNull();
    await settled(model, 'r2');
  });

  it('says what went wrong, and mends it when events arrive again', async () => {
    server.create('r1', 1);
    vi.mocked(server.client.listRuns).mockRejectedValueOnce(
      new Error('Not now.')
    );
    const model = server.open();
    await vi.waitFor(() => expect(model.error).toBe('Not now.'));
    server.state.emit('live');
    await settled(model, 'r1');
    expect(model.error).toBeNull();
  });

  it('asks for the current run to be stopped', async () => {
    server.create('r1', 1);
    const model = server.open();
    await settled(model, 'r1');
    await model.stop();
    expect(server.client.stopRun).toHaveBeenCalledWith('r1');
  });
});
