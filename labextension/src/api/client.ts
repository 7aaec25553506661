import { URLExt } from '@jupyterlab/coreutils';
import type { INotebookContent } from '@jupyterlab/nbformat';
import { ServerConnection } from '@jupyterlab/services';
import { Signal, type ISignal } from '@lumino/signaling';
import type {
  Inspection,
  InspectRequest,
  LogPage,
  Problem,
  ProblemDetails,
  Release,
  ReleasePage,
  ReleaseProposal,
  ReleaseRequest,
  RetryRequest,
  RunEvent,
  RunFilter,
  RunPage,
  RunRecord,
  RunRequest,
  StalePage,
  Status,
  Workflow
} from './types';

/** Where the server extension answers, below the base URL of the server. */
export const PREFIX = 'mlwf/v1';

type Query = Record<string, string | number | undefined>;

/** What the server refused, in words for people. */
export class ApiError extends Error {
  /**
   * @param message One clear sentence.
   * @param status HTTP status; 0 if there was no answer at all.
   * @param code Stable name of the kind of error.
   * @param problems All that is wrong, each with its place.
   */
  constructor(
    message: string,
    readonly status: number,
    readonly code: string,
    readonly problems: readonly Problem[] = []
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** The REST side of the server extension: a method for each operation. */
export class MLWFClient {
  constructor(serverSettings?: ServerConnection.ISettings) {
    this.serverSettings = serverSettings ?? ServerConnection.makeSettings();
  }

  readonly serverSettings: ServerConnection.ISettings;

  /** A run was started from this page. */
  get runStarted(): ISignal<this, RunRecord> {
    return this._runStarted;
  }

  /** Time of the server in milliseconds: its clock may differ from the browser's. */
  now(): number {
    return Date.now() + this._skew;
  }

  getStatus(): Promise<Status> {
    return this._get('status');
  }

  inspect(
    request: Partial<InspectRequest> & { path: string }
  ): Promise<Inspection> {
    return this._post('inspect', request);
  }

  getStaleness(
    request: Partial<InspectRequest> & { path: string }
  ): Promise<StalePage> {
    return this._post('staleness', request);
  }

  listRuns(filter: RunFilter = {}): Promise<RunPage> {
    return this._get('runs', filter);
  }

  async startRun(request: Partial<RunRequest>): Promise<RunRecord> {
    const record = await this._post<RunRecord>('runs', request);
    this._runStarted.emit(record);
    return record;
  }

  getRun(run: string): Promise<RunRecord> {
    return this._get(join('runs', run));
  }

  getRunWorkflow(run: string): Promise<Workflow> {
    return this._get(join('runs', run, 'workflow'));
  }

  /** Stop a run, or one step of it. */
  stopRun(run: string, step?: string): Promise<RunRecord> {
    return this._post(join('runs', run, 'stop'), undefined, { step });
  }

  pauseRun(run: string): Promise<RunRecord> {
    return this._post(join('runs', run, 'pause'));
  }

  continueRun(run: string): Promise<RunRecord> {
    return this._post(join('runs', run, 'continue'));
  }

  /** Change parameters, for the steps that have not started. */
  changeParameters(
    run: string,
    parameters: Record<string, unknown>
  ): Promise<RunRecord> {
    return this._post(join('runs', run, 'parameters'), { parameters });
  }

  /** Open an ended run again, for some of its steps. */
  retryRun(run: string, request: Partial<RetryRequest>): Promise<RunRecord> {
    return this._post(join('runs', run, 'retry'), request);
  }

  async listEvents(run: string, after = 0, limit = 1000): Promise<RunEvent[]> {
    const path = join('runs', run, 'events');
    return (await this._get<{ events: RunEvent[] }>(path, { after, limit }))
      .events;
  }

  getNotebook(
    run: string,
    step: string,
    attempt?: number
  ): Promise<INotebookContent> {
    return this._get(join('runs', run, 'steps', step, 'notebook'), { attempt });
  }

  /** Where the browser can download what `getNotebook` reads. */
  notebookUrl(run: string, step: string, attempt?: number): string {
    return this._url(join('runs', run, 'steps', step, 'notebook'), { attempt });
  }

  /** A part of the log of a step: the last one, or what follows from a place on. */
  getLog(
    run: string,
    step: string,
    query: { attempt?: number; after?: number } = {}
  ): Promise<LogPage> {
    return this._get(join('runs', run, 'steps', step, 'log'), query);
  }

  async listReleases(name?: string): Promise<ReleasePage['releases']> {
    return (await this._get<ReleasePage>('releases', { name })).releases;
  }

  release(
    request: Partial<ReleaseRequest> & { path: string }
  ): Promise<Release> {
    return this._post('releases', request);
  }

  proposeRelease(path: string): Promise<ReleaseProposal> {
    return this._get('proposal', { path });
  }

  getRelease(name: string, version: string): Promise<Release> {
    return this._get(join('releases', name, version));
  }

  /** A release as one archive. */
  async getBundle(name: string, version: string): Promise<Blob> {
    const path = join('releases', name, version, 'bundle');
    return (await this._request('GET', path)).blob();
  }

  private async _get<T>(path: string, query: Query = {}): Promise<T> {
    return (await this._request('GET', path, query)).json();
  }

  private async _post<T>(
    path: string,
    body?: object,
    query: Query = {}
  ): Promise<T> {
    return (await this._request('POST', path, query, body)).json();
  }

  private async _request(
    method: string,
    path: string,
    query: Query = {},
    body?: object
  ): Promise<Response> {
    const init = {
      method,
      body: body ? JSON.stringify(body) : undefined
    };
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(
        this._url(path, query),
        init,
        this.serverSettings
      );
    } catch (reason) {
      if (reason instanceof ServerConnection.NetworkError) {
        throw new ApiError(
          'The Jupyter server cannot be reached: check that it is running.',
          0,
          'unreachable'
        );
      }
      throw reason;
    }
    this._readClock(response);
    if (!response.ok) {
      throw await readError(response);
    }
    return response;
  }

  private _url(path: string, query: Query): string {
    const given = Object.entries(query).filter(([, value]) => value != null);
    const text = new URLSearchParams(given as [string, string][]).toString();
    const url = URLExt.join(this.serverSettings.baseUrl, PREFIX, path);
    return text ? `${url}?${text}` : url;
  }

  private _readClock(response: Response): void {
    const date = Date.parse(response.headers.get('Date') ?? '');
    const skew = date - Date.now();
    // The header counts in seconds: a smaller difference says nothing.
    this._skew = Math.abs(skew) > 2000 ? skew : 0;
  }

  private readonly _runStarted = new Signal<this, RunRecord>(this);
  private _skew = 0;
}

function join(...parts: string[]): string {
  return parts.map(encodeURIComponent).join('/');
}

async function readError(response: Response): Promise<ApiError> {
  const { status } = response;
  if (status === 401 || status === 403) {
    return new ApiError(
      'The Jupyter server does not allow this: log in again, or ask whoever runs it.',
      status,
      'forbidden'
    );
  }
  try {
    const details = (await response.json()) as Partial<ProblemDetails>;
    if (details.title && details.code) {
      return new ApiError(
        details.title,
        status,
        details.code,
        details.problems
      );
    }
  } catch {
    // It was not JSON: something other than the extension has answered.
  }
  if (status === 404 || status === 405) {
    return new ApiError(
      'The Jupyter server does not have the jupyter_mlwf extension: install it there, then restart the server.',
      status,
      'no-extension'
    );
  }
  return new ApiError(
    `The Jupyter server failed (${status}): its log says why.`,
    status,
    'server-error'
  );
}
