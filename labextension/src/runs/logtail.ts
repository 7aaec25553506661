import type { IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';
import { Signal, type ISignal } from '@lumino/signaling';
import { ApiError } from '../api/client';
import type { LogPage } from '../api/types';

/** Characters that are kept: what was written before stays on the server. */
const MOST = 1 << 20;
/** Characters of a part. It ends with a line, if it can. */
const PART = 1 << 14;
const INTERVAL_MS = 1000;

/** A part of a log. Only the last one grows. */
export interface ILogPart {
  id: number;
  text: string;
}

/** The end of a log, read on for as long as it grows. */
export class LogTail implements IDisposable {
  /**
   * @param _read Reads what follows from a place on; the last part if none is given.
   */
  constructor(private readonly _read: (after?: number) => Promise<LogPage>) {
    this._poll = new Poll({
      auto: false,
      factory: () => this._queue(),
      frequency: { interval: INTERVAL_MS, backoff: true, max: 10_000 },
      name: 'jupyter-mlwf:log',
      standby: () => (this._isLive ? 'when-hidden' : 'never')
    });
  }

  /** More was read, or it could not be. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether more may be written; set it to begin. Once it is false, the log is read to its end. */
  get live(): boolean {
    return this._isLive;
  }
  set live(live: boolean) {
    this._isLive = live;
    void this._poll.refresh();
  }

  get parts(): readonly ILogPart[] {
    return this._parts;
  }

  /** Whether the log begins before the first part. */
  get isCut(): boolean {
    return this._isCut;
  }

  /** Whether it was read at least once. */
  get loaded(): boolean {
    return this._end !== undefined || this._error !== null || this._isMissing;
  }

  /** Why it could not be read, in words; null if it could. */
  get error(): string | null {
    return this._error;
  }

  get isDisposed(): boolean {
    return this._poll.isDisposed;
  }

  dispose(): void {
    this._poll.dispose();
    Signal.clearData(this);
  }

  /** One read at a time: two would read the same. */
  private _queue(): Promise<void> {
    this._reading = this._reading
      .catch(() => undefined)
      .then(() => this._readOn());
    return this._reading;
  }

  private async _readOn(): Promise<void> {
    const isLast = !this._isLive;
    try {
      while (!this.isDisposed && this._add(await this._read(this._end))) {
        // There is more than one page.
      }
      this._error = null;
    } catch (reason) {
      this._isMissing = reason instanceof ApiError && reason.status === 404;
      // Whatever writes it may not have begun.
      this._error =
        this._isMissing && this._isLive ? null : (reason as Error).message;
      if (!this._isMissing) {
        throw reason;
      }
    } finally {
      if (!this.isDisposed) {
        if (isLast) {
          void this._poll.stop();
        }
        this._changed.emit();
      }
    }
  }

  /** Add a page; whether there was something in it. */
  private _add({ text, start, end }: LogPage): boolean {
    if (start !== this._end) {
      // It is the first page, or the log was begun anew.
      this._parts = [];
      this._isCut = start > 0;
    }
    this._end = end;
    if (!text) {
      return false;
    }
    const parts = [...this._parts];
    let rest = (parts.pop()?.text ?? '') + text;
    let id = this._parts[this._parts.length - 1]?.id ?? this._next++;
    while (rest.length > PART) {
      const cut = rest.lastIndexOf('\n', PART - 1) + 1 || PART;
      parts.push({ id, text: rest.slice(0, cut) });
      rest = rest.slice(cut);
      id = this._next++;
    }
    parts.push({ id, text: rest });
    const most = Math.floor(MOST / PART);
    this._isCut ||= parts.length > most;
    this._parts = parts.slice(-most);
    return true;
  }

  private readonly _poll: Poll;
  private readonly _changed = new Signal<this, void>(this);
  private _reading: Promise<void> = Promise.resolve();
  private _isLive = false;
  private _parts: ILogPart[] = [];
  private _isCut = false;
  private _end: number | undefined;
  private _isMissing = false;
  private _error: string | null = null;
  private _next = 0;
}
