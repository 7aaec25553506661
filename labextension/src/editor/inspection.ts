import { PathExt } from '@jupyterlab/coreutils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { Contents } from '@jupyterlab/services';
import type { MLWFClient } from '../api/client';
import type { NotebookInterface, Problem } from '../model/types';
import { stepPath } from '../model/types';
import { Asker } from './asker';
import type { WorkflowChange, YWorkflow } from './document';
import type { WorkflowModel } from './model';

const DELAY_MS = 300;

interface IAnswer {
  notebooks: { [path: string]: NotebookInterface };
  problems: readonly Problem[];
  /** Why the server could not be asked, in words; null if it could. */
  error: string | null;
}

/** What the server says of a document and its notebooks; asked again after each change. */
export class Inspection extends Asker<IAnswer> {
  constructor(
    private readonly _client: MLWFClient,
    private readonly _context: DocumentRegistry.IContext<WorkflowModel>,
    private readonly _contents: Contents.IManager
  ) {
    super(DELAY_MS);
    this._document = _context.model.sharedModel;
    this._document.changed.connect(this._onDocument, this);
    _context.pathChanged.connect(this.refresh, this);
    _contents.fileChanged.connect(this._onFile, this);
    void _context.ready.then(() => this.askNow());
  }

  /** All problems of the document. */
  get problems(): readonly Problem[] {
    return this._answer.problems;
  }

  /** Another object for each answer. */
  get answer(): unknown {
    return this._answer;
  }

  /** What is known of a notebook; undefined if it could not be read, or not yet. */
  notebook(path: string): NotebookInterface | undefined {
    const { notebooks } = this._answer;
    return Object.hasOwn(notebooks, path) ? notebooks[path] : undefined;
  }

  /** Why the server could not be asked, in words; null if it could. */
  get error(): string | null {
    return this._answer.error;
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

  dispose(): void {
    if (!this.isDisposed) {
      this._contents.fileChanged.disconnect(this._onFile, this);
      super.dispose();
    }
  }

  protected async ask(): Promise<IAnswer> {
    const { document, problems } = this._document.reading;
    try {
      const answer = await this._client.inspect({
        path: this._context.localPath,
        document: this._document.getSource()
      });
      return {
        notebooks: answer.notebooks,
        // Some that the server takes cannot be shown here: then only the editor knows why.
        problems:
          document || answer.problems.length
            ? answer.problems
            : (problems ?? []),
        error: null
      };
    } catch (reason) {
      return {
        notebooks: this._answer.notebooks,
        problems: problems ?? [],
        error: reason instanceof Error ? reason.message : String(reason)
      };
    }
  }

  protected keep(answer: IAnswer): void {
    this._answer = answer;
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

  private readonly _document: YWorkflow;
  private _answer: IAnswer = { notebooks: {}, problems: [], error: null };
}
