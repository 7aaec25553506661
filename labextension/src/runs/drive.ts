import { PathExt } from '@jupyterlab/coreutils';
import type {
  ICell,
  INotebookContent,
  MultilineString
} from '@jupyterlab/nbformat';
import type { Contents } from '@jupyterlab/services';
import { Signal, type ISignal } from '@lumino/signaling';
import { ApiError, type MLWFClient } from '../api/client';

/** Name of the drive: paths of executed notebooks begin with it. */
export const DRIVE = 'mlwf';

/** Which executed notebook is meant; the last attempt's if no attempt is given. */
export interface IExecuted {
  run: string;
  step: string;
  attempt?: number;
}

/**
 * Path of an executed notebook in Lab: `mlwf:RUN/STEP/TITLE` or `mlwf:RUN/STEP/ATTEMPT/TITLE`.
 *
 * The title is part of it, since Lab takes any other title of a tab for the wish to rename the file.
 */
export function executedPath(
  { run, step, attempt }: IExecuted,
  title: string
): string {
  const folder = [run, step, attempt].filter(part => part !== undefined);
  return `${DRIVE}:${folder.join('/')}/${title.replace(/[/\\:]/g, ' ')}`;
}

function parsePath(localPath: string): IExecuted | null {
  const match = /^([^/]+)\/([^/]+)\/(?:(\d+)\/)?[^/]+$/.exec(localPath);
  return (
    match && {
      run: match[1],
      step: match[2],
      attempt: match[3] ? Number(match[3]) : undefined
    }
  );
}

const NO_KERNEL = { name: '', display_name: '' };

// Lab would add what is missing (a cell to write in, a language), and take the file for changed.
const NOT_YET: INotebookContent = {
  cells: [
    {
      id: 'not-yet',
      cell_type: 'markdown',
      metadata: {},
      source: '*The step is starting: what it does shows up here.*'
    }
  ],
  metadata: { language_info: { name: '' }, kernelspec: NO_KERNEL },
  nbformat: 4,
  nbformat_minor: 5
};

/** Executed notebooks as files that Lab can open, and nobody can write. */
export class ExecutedDrive implements Contents.IDrive {
  constructor(private readonly _client: MLWFClient) {
    this.serverSettings = _client.serverSettings;
  }

  readonly name = DRIVE;
  readonly serverSettings: Contents.IDrive['serverSettings'];

  get fileChanged(): ISignal<this, Contents.IChangedArgs> {
    return this._fileChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  async get(
    localPath: string,
    options?: Contents.IFetchOptions
  ): Promise<Contents.IModel> {
    const executed = parsePath(localPath);
    if (!executed) {
      throw new ApiError(`There is no '${localPath}' here.`, 404, 'not-found');
    }
    const notebook =
      options?.content === false ? null : readable(await this._read(executed));
    // There is no time of modification to give; Lab asks for one to see whether somebody else wrote the file.
    const time = new Date(0).toISOString();
    return {
      name: PathExt.basename(localPath),
      path: localPath,
      type: 'notebook',
      mimetype: '',
      format: notebook && 'json',
      content: notebook,
      writable: false,
      created: time,
      last_modified: time
    };
  }

  private async _read(executed: IExecuted): Promise<INotebookContent> {
    const { run, step, attempt } = executed;
    try {
      return await this._client.getNotebook(run, step, attempt);
    } catch (reason) {
      if (reason instanceof ApiError && reason.status === 404) {
        const { steps } = await this._client.getRun(run);
        if (steps[step]?.state === 'running') {
          return NOT_YET;
        }
      }
      throw reason;
    }
  }

  async listCheckpoints(): Promise<Contents.ICheckpointModel[]> {
    return [];
  }

  async getDownloadUrl(localPath: string): Promise<string> {
    const executed = parsePath(localPath);
    // A picture that a notebook refers to by a relative path is no part of the record: nothing is shown for it.
    return executed
      ? this._client.notebookUrl(executed.run, executed.step, executed.attempt)
      : 'data:,';
  }

  newUntitled(): Promise<Contents.IModel> {
    return refuse();
  }

  delete(): Promise<void> {
    return refuse();
  }

  rename(): Promise<Contents.IModel> {
    return refuse();
  }

  save(): Promise<Contents.IModel> {
    return refuse();
  }

  copy(): Promise<Contents.IModel> {
    return refuse();
  }

  createCheckpoint(): Promise<Contents.ICheckpointModel> {
    return refuse();
  }

  restoreCheckpoint(): Promise<void> {
    return refuse();
  }

  deleteCheckpoint(): Promise<void> {
    return refuse();
  }

  private readonly _fileChanged = new Signal<this, Contents.IChangedArgs>(this);
  private _isDisposed = false;
}

async function refuse(): Promise<never> {
  throw new ApiError(
    'An executed notebook is a record: it can only be read.',
    405,
    'read-only'
  );
}

/**
 * The notebook as Lab's server would hand it over: text in one piece, and no cell trusted, whatever the file says.
 * No cell can be edited or deleted.
 */
export function readable(notebook: INotebookContent): INotebookContent {
  return { ...notebook, cells: notebook.cells.map(readableCell) };
}

function readableCell(cell: ICell): ICell {
  const metadata = {
    ...cell.metadata,
    trusted: false,
    editable: false,
    deletable: false
  };
  const outputs = cell.outputs as Record<string, unknown>[] | undefined;
  return {
    ...cell,
    source: joined(cell.source),
    metadata,
    ...(outputs && { outputs: outputs.map(readableOutput) })
  } as ICell;
}

function readableOutput(
  output: Record<string, unknown>
): Record<string, unknown> {
  const { text, data } = output;
  return {
    ...output,
    ...(text !== undefined && { text: joined(text as MultilineString) }),
    ...(data !== undefined && { data: readableBundle(data as object) })
  };
}

function readableBundle(bundle: object): object {
  return Object.fromEntries(
    Object.entries(bundle).map(([type, value]) => [
      type,
      /^application\/(.*\+)?json$/.test(type) ? value : joined(value)
    ])
  );
}

function joined(text: MultilineString): string {
  return Array.isArray(text) ? text.join('') : text;
}
