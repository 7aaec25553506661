import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import type { MLWFClient } from '../api/client';
import type { EventStream } from '../api/events';
import type {
  RunEvent,
  RunPage,
  RunRecord,
  RunSummary,
  StepRecord,
  Workflow
} from '../api/types';
import { applyEvents, applyToSummary, createRecord, hasEnded } from './fold';

const PAGE = 50;

/** A row of the list, and the last event that is in it. */
type Row = RunSummary & { seq: number };

/** The runs of one document and of its releases, kept up to date by their events. */
export class RunsModel implements IDisposable {
  /**
   * @param path The document, relative to the workspace.
   */
  constructor(
    readonly client: MLWFClient,
    private readonly _stream: EventStream,
    path: string
  ) {
    this._path = path;
    _stream.events.connect(this._onEvents, this);
    _stream.state.connect(this._onStream, this);
    client.runStarted.connect(this._onStarted, this);
    void this.reload();
  }

  /** Something that can be shown has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The document; giving another one loads its runs. */
  get path(): string {
    return this._path;
  }
  set path(path: string) {
    if (path !== this._path) {
      this._path = path;
      this._selected = null;
      this._current = null;
      this._workflow = null;
      this._runs = [];
      void this.reload();
    }
  }

  /** Rows of the runs, the newest first. */
  get runs(): readonly RunSummary[] {
    return this._runs;
  }

  /** Whether there are older runs than those in `runs`. */
  get hasMore(): boolean {
    return this._hasMore;
  }

  /** The run that is shown: the selected one, or else the newest. */
  get current(): RunRecord | null {
    return this._current;
  }

  /** The workflow as the current run runs it; null until it is known. */
  get workflow(): Workflow | null {
    return this._workflow;
  }

  /** Whether the current run may still change. */
  get live(): boolean {
    return this._current !== null && !hasEnded(this._current);
  }

  /** Whether events arrive now; false while the connection is mended. */
  get connected(): boolean {
    return this._stream.live;
  }

  /** Whether the runs were read at least once. */
  get loaded(): boolean {
    return this._loaded;
  }

  /** Why something could not be read or done, in words; null if all is well. */
  get error(): string | null {
    return this._error;
  }

  /** Name of the step that is looked at. */
  get selectedStep(): string | null {
    return this._selectedStep;
  }
  set selectedStep(name: string | null) {
    if (name !== this._selectedStep) {
      this._selectedStep = name;
      this._changed.emit();
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** What a step did in the current run. */
  step(name: string): StepRecord | undefined {
    const steps = this._current?.steps ?? {};
    return Object.hasOwn(steps, name) ? steps[name] : undefined;
  }

  /** Show a run, or with null the newest one, whichever that is. */
  async select(id: string | null): Promise<void> {
    this._selected = id;
    await this._attempt(() => this._loadCurrent());
  }

  /**
   * Start a run of the document.
   *
   * @throws ApiError: the document or the values do not fit.
   */
  start(parameters: Record<string, unknown>): Promise<RunRecord> {
    return this.client.startRun({ path: this._path, parameters });
  }

  /** Ask for the current run, or the one given, to be stopped. */
  async stop(id = this._current?.id): Promise<void> {
    await this._attempt(async () => {
      if (id) {
        await this.client.stopRun(id);
      }
    });
  }

  /** Read everything anew. */
  async reload(): Promise<void> {
    const path = this._path;
    await this._attempt(async () => {
      const page = await this.client.listRuns({ path, limit: PAGE });
      if (path !== this._path || this._isDisposed) {
        return;
      }
      this._stream.connect(page.seq);
      this._runs = rows(page);
      this._hasMore = page.runs.length === PAGE;
      this._apply(this._recent);
      this._loaded = true;
      await this._loadCurrent();
    });
  }

  /** Read the next older runs. */
  async loadMore(): Promise<void> {
    await this._attempt(async () => {
      const before = this._runs[this._runs.length - 1]?.number;
      const path = this._path;
      const page = await this.client.listRuns({ path, limit: PAGE, before });
      if (path === this._path) {
        this._runs = [...this._runs, ...rows(page)];
        this._hasMore = page.runs.length === PAGE;
        this._apply(this._recent);
      }
    });
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  /** Read the record of the run to show, unless it is there already. */
  private async _loadCurrent(): Promise<void> {
    const id = this._selected ?? this._runs[0]?.id ?? null;
    if (id === null) {
      this._current = null;
      this._workflow = null;
      return;
    }
    if (this._current?.id !== id) {
      const [record, workflow] = await Promise.all([
        this.client.getRun(id),
        this.client.getRunWorkflow(id)
      ]);
      if (id === (this._selected ?? this._runs[0]?.id)) {
        // Events may have overtaken the answer that holds the record.
        this._current = applyEvents(record, this._recent);
        this._workflow = workflow;
      }
    }
  }

  private async _attempt(action: () => Promise<void>): Promise<void> {
    this._waiting += 1;
    try {
      await action();
      this._error = null;
    } catch (reason) {
      this._error = reason instanceof Error ? reason.message : String(reason);
    } finally {
      this._waiting -= 1;
      if (this._waiting === 0) {
        this._recent = [];
      }
    }
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  private _onEvents(_: EventStream, events: RunEvent[]): void {
    if (this._waiting > 0) {
      this._recent.push(...events);
    }
    if (this._apply(events)) {
      this._changed.emit();
    }
  }

  private _apply(events: RunEvent[]): boolean {
    const runs = this._runs;
    for (const event of events) {
      if (event.type === 'run.created') {
        this._add(createRecord(event));
      } else if (event.step == null) {
        this._update(event);
      }
    }
    const current = this._current;
    this._current = current && applyEvents(current, events);
    return current !== this._current || runs !== this._runs;
  }

  private _update(event: RunEvent): void {
    const row = this._runs.find(run => run.id === event.run);
    if (row && event.seq > row.seq) {
      const updated = { ...applyToSummary(row, event), seq: event.seq };
      this._runs = this._runs.map(run => (run === row ? updated : run));
    }
  }

  /** Add a new run on top; it is shown, unless another one was selected. */
  private _add(record: RunRecord): void {
    if (
      record.path === this._path &&
      !this._runs.some(run => run.id === record.id)
    ) {
      this._runs = [record, ...this._runs];
      if (this._selected === null) {
        void this.select(null);
      }
    }
  }

  private _onStarted(_: MLWFClient, record: RunRecord): void {
    if (record.path === this._path) {
      // Whoever starts a run wants to see it.
      this._selected = null;
      this._add(record);
      void this.select(null);
    }
  }

  private _onStream(): void {
    if (this._stream.live && this._error !== null) {
      void this.reload();
    } else {
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private _path: string;
  private _runs: Row[] = [];
  private _hasMore = false;
  private _selected: string | null = null;
  private _current: RunRecord | null = null;
  private _workflow: Workflow | null = null;
  private _selectedStep: string | null = null;
  private _error: string | null = null;
  private _loaded = false;
  private _isDisposed = false;
  /** How many answers of the server are awaited; until they are here, events are kept in `_recent`. */
  private _waiting = 0;
  private _recent: RunEvent[] = [];
}

function rows(page: RunPage): Row[] {
  return page.runs.map(run => ({ ...run, seq: page.seq }));
}
