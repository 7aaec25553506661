import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import { PREFIX } from './client';
import type { RunEvent } from './types';

/** `live`: events arrive; `reconnecting`: they will, from where they stopped. */
export type StreamState = 'live' | 'reconnecting';

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;
const TICK_MS = 10_000;
const SLEPT_MS = 45_000;

/**
 * The events of all runs, over one websocket for the whole page.
 *
 * It reconnects from the last sequence number that it saw, so that no event is lost, and none comes twice.
 */
export class EventStream implements IDisposable {
  constructor(serverSettings?: ServerConnection.ISettings) {
    this._settings = serverSettings ?? ServerConnection.makeSettings();
  }

  /** Events in order, as many as came together. */
  get events(): ISignal<this, RunEvent[]> {
    return this._events;
  }

  /** Emitted when events begin or cease to arrive. */
  get state(): ISignal<this, StreamState> {
    return this._state;
  }

  /** Whether events arrive now. */
  get live(): boolean {
    return this._live;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Begin to follow the events above a sequence number. Does nothing if it follows them already. */
  connect(after: number): void {
    if (this._started || this._isDisposed) {
      return;
    }
    this._started = true;
    this._seq = after;
    this._open();
    this._lastTick = Date.now();
    this._ticker = window.setInterval(this._tick, TICK_MS);
    window.addEventListener('online', this._restart);
    document.addEventListener('visibilitychange', this._tick);
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    window.clearInterval(this._ticker);
    window.removeEventListener('online', this._restart);
    document.removeEventListener('visibilitychange', this._tick);
    this._close();
    Signal.clearData(this);
  }

  private _open(): void {
    const { wsUrl, token, appendToken, WebSocket } = this._settings;
    const query = new URLSearchParams({ after: `${this._seq}` });
    if (appendToken && token) {
      query.set('token', token);
    }
    const socket = new WebSocket(
      `${URLExt.join(wsUrl, PREFIX, 'events')}?${query}`
    );
    this._socket = socket;
    socket.onopen = () => {
      this._failures = 0;
      this._setLive(true);
    };
    socket.onmessage = message => this._receive(message.data as string);
    socket.onclose = () => {
      this._socket = null;
      this._setLive(false);
      const delay = Math.min(
        FIRST_DELAY_MS * 2 ** this._failures++,
        LONGEST_DELAY_MS
      );
      // Spread out, so that the pages of a team do not all come back at once.
      this._retry = window.setTimeout(
        () => this._open(),
        delay * (0.5 + Math.random())
      );
    };
  }

  private _close(): void {
    window.clearTimeout(this._retry);
    const socket = this._socket;
    this._socket = null;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  private _receive(text: string): void {
    const { events } = JSON.parse(text) as { events: RunEvent[] };
    const fresh = events.filter(event => event.seq > this._seq);
    if (fresh.length) {
      this._seq = fresh[fresh.length - 1].seq;
      this._events.emit(fresh);
    }
  }

  private _setLive(live: boolean): void {
    if (live !== this._live) {
      this._live = live;
      this._state.emit(live ? 'live' : 'reconnecting');
    }
  }

  private readonly _restart = () => {
    this._close();
    this._setLive(false);
    this._open();
  };

  private readonly _tick = () => {
    if (document.hidden) {
      return; // timers of hidden pages are slow: a gap says nothing there
    }
    const now = Date.now();
    // A machine that slept often keeps a dead connection that says nothing.
    if (now - this._lastTick > SLEPT_MS) {
      this._restart();
    }
    this._lastTick = now;
  };

  private readonly _settings: ServerConnection.ISettings;
  private readonly _events = new Signal<this, RunEvent[]>(this);
  private readonly _state = new Signal<this, StreamState>(this);
  private _live = false;
  private _started = false;
  private _isDisposed = false;
  private _seq = 0;
  private _failures = 0;
  private _socket: WebSocket | null = null;
  private _retry = 0;
  private _ticker = 0;
  private _lastTick = 0;
}
