import { PathExt } from '@jupyterlab/coreutils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { Contents } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { MLWFClient } from '../api/client';
import type { NotebookInterface, Problem } from '../model/types';
import { stepPath } from '../model/types';
import type { WorkflowChange, YWorkflow } from './document';
import type { WorkflowModel } from './model';

const DELAY_MS = 300;

/** What the server says of a document and its notebooks; asked again after each change. */
export class Inspection implements IDisposable {
  constructor(
    private readonly _client: MLWFClient,
    private readonly _context: DocumentRegistry.IContext<WorkflowModel>,
    private readonly _contents: Contents.IManager
  ) {
    this._document = _context.model.sharedModel;
    this._document.changed.connect(this._onDocument, this);
    _context.pathChanged.connect(this.refresh, this);
    _contents.fileChanged.connect(this._onFile, this);
    void _context.ready.then(() => this._inspect());
  }

  /** Another answer has come, or none could be had. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** All problems of the document. */
  get problems(): readonly Problem[] {
    return this._problems;
  }

  /** Another object for each answer. */
  get answer(): unknown {
    return this._notebooks;
  }

  /** What is known of a notebook; undefined if it could not be read, or not yet. */
  notebook(path: string): NotebookInterface | undefined {
    return Object.hasOwn(this._notebooks, path)
      ? this._notebooks[path]
      : undefined;
  }

  /** Why the server could not be asked, in words; null if it could. */
  get error(): string | null {
    return this._error;
  }

  /**
   * What is known of notebooks and workflows that need not be steps; paths are relative to the document.
   * Those that cannot be read are left out.
   */
  async read(
    paths: readonly string[]
  ): Promise<ReadonlyMap<string, NotebookInterface>> {
    const steps = paths.map((path, index) => [
      `s${index}`,
      path.endsWith('.mlwf') ? { workflow: path } : { notebook: path }
    ]);
    const document = { mlwf: 1, name: 'x', steps: Object.fromEntries(steps) };
    const answer = await this._client.inspect({
      path: this._context.localPath,
      document: JSON.stringify(document)
    });
    return new Map(Object.entries(answer.notebooks));
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
      this._contents.fileChanged.disconnect(this._onFile, this);
      Signal.clearData(this);
    }
  }

  private _onDocument(_: YWorkflow, change: WorkflowChange): void {
    if (change.contentChange) {
      this.refresh();
    }
  }

  private _onFile(_: Contents.IManager, change: Contents.IChangedArgs): void {
    const paths = [change.oldValue?.path, change.newValue?.path];
    const folder = PathExt.dirname(this._context.localPath);
    const notebooks = new Set(
      Object.values(this._document.workflow?.steps ?? {}).map(step =>
        PathExt.join(folder, stepPath(step))
      )
    );
    if (paths.some(p => p && notebooks.has(this._contents.localPath(p)))) {
      this.refresh();
    }
  }

  private async _inspect(): Promise<void> {
    if (this._isDisposed) {
      return;
    }
    const request = ++this._asked;
    const { document, problems } = this._document.reading;
    let error: string | null = null;
    let found: readonly Problem[] = problems ?? [];
    let notebooks = { ...this._notebooks };
    try {
      const answer = await this._client.inspect({
        path: this._context.localPath,
        document: this._document.getSource()
      });
      notebooks = answer.notebooks;
      // Some that the server takes cannot be shown here: then only the editor knows why.
      found =
        document || answer.problems.length ? answer.problems : (problems ?? []);
    } catch (reason) {
      error = reason instanceof Error ? reason.message : String(reason);
    }
    if (request !== this._asked || this._isDisposed) {
      return;
    }
    this._error = error;
    this._problems = found;
    this._notebooks = notebooks;
    this._changed.emit();
  }

  private readonly _document: YWorkflow;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _debouncer = new Debouncer(() => this._inspect(), DELAY_MS);
  private _notebooks: { [path: string]: NotebookInterface } = {};
  private _problems: readonly Problem[] = [];
  private _error: string | null = null;
  private _asked = 0;
  private _isDisposed = false;
}
