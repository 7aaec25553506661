import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { MLWFClient } from '../api/client';
import type { Stale } from '../api/types';
import type { RunsModel } from '../runs/session';
import type { WorkflowModel } from './model';

const DELAY_MS = 1000;

/** Which steps a run of the saved document would execute, and why; asked again when it is saved and after runs. */
export class Staleness implements IDisposable {
  constructor(
    private readonly _client: MLWFClient,
    private readonly _context: DocumentRegistry.IContext<WorkflowModel>,
    private readonly _runs: RunsModel
  ) {
    _context.saveState.connect(this._onSave, this);
    _runs.changed.connect(this._onRuns, this);
    void _context.ready.then(() => this.refresh());
  }

  /** Another answer has come. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Why a step would be executed; undefined if it would not, or if that is not known. */
  of(step: string): Stale | undefined {
    return !this._runs.live && Object.hasOwn(this._steps, step)
      ? this._steps[step]
      : undefined;
  }

  /** All that is said of steps: another object for each answer, and while a run goes on. */
  get steps(): unknown {
    return this._runs.live ? null : this._steps;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Ask again, soon. */
  refresh(): void {
    if (!this._isDisposed) {
      // It rejects if it is disposed of before its time has come.
      this._debouncer.invoke().catch(() => undefined);
    }
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this._debouncer.dispose();
      this._context.saveState.disconnect(this._onSave, this);
      this._runs.changed.disconnect(this._onRuns, this);
      Signal.clearData(this);
    }
  }

  private _onSave(_: unknown, state: DocumentRegistry.SaveState): void {
    if (state === 'completed') {
      this.refresh();
    }
  }

  /** What a run leaves behind serves later ones. */
  private _onRuns(): void {
    const { live } = this._runs;
    if (this._wasLive && !live) {
      this.refresh();
    }
    this._wasLive = live;
  }

  private async _ask(): Promise<void> {
    const request = ++this._asked;
    let steps: { [step: string]: Stale } = {};
    try {
      const { localPath: path } = this._context;
      steps = (await this._client.getStaleness({ path })).steps;
    } catch {
      // A document that cannot be run has problems, which say more.
    }
    if (request === this._asked && !this._isDisposed) {
      this._steps = steps;
      this._changed.emit();
    }
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _debouncer = new Debouncer(() => this._ask(), DELAY_MS);
  private _steps: { [step: string]: Stale } = {};
  private _wasLive = false;
  private _asked = 0;
  private _isDisposed = false;
}
