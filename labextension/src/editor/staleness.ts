import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { MLWFClient } from '../api/client';
import type { Stale } from '../api/types';
import type { RunsModel } from '../runs/session';
import { Asker } from './asker';
import type { WorkflowModel } from './model';

const DELAY_MS = 1000;

type Steps = { [step: string]: Stale };

/** Which steps a run of the saved document would execute, and why; asked again when it is saved and after runs. */
export class Staleness extends Asker<Steps> {
  constructor(
    private readonly _client: MLWFClient,
    private readonly _context: DocumentRegistry.IContext<WorkflowModel>,
    private readonly _runs: RunsModel
  ) {
    super(DELAY_MS);
    _context.saveState.connect(this._onSave, this);
    _runs.changed.connect(this._onRuns, this);
    void _context.ready.then(() => this.refresh());
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

  dispose(): void {
    if (!this.isDisposed) {
      this._context.saveState.disconnect(this._onSave, this);
      this._runs.changed.disconnect(this._onRuns, this);
      super.dispose();
    }
  }

  protected async ask(): Promise<Steps> {
    try {
      const { localPath: path } = this._context;
      return (await this._client.getStaleness({ path })).steps;
    } catch {
      // A document that cannot be run has problems, which say more.
      return {};
    }
  }

  protected keep(steps: Steps): void {
    this._steps = steps;
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

  private _steps: Steps = {};
  private _wasLive = false;
}
