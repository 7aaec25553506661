import { ServerConnection } from '@jupyterlab/services';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventStream } from './events';
import type { RunEvent } from './types';

class FakeSocket {
  static all: FakeSocket[] = [];
  static get last(): FakeSocket {
    return FakeSocket.all[FakeSocket.all.length - 1];
  }

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
  }

  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  closed = false;

  close(): void {
    this.closed = true;
  }

  send(...seqs: number[]): void {
    const events = seqs.map(seq => ({ seq }) as RunEvent);
    this.onmessage?.({ data: JSON.stringify({ events }) });
  }
}

const streams: EventStream[] = [];

function open(options: Partial<ServerConnection.ISettings> = {}) {
  const stream = new EventStream(
    ServerConnection.makeSettings({
      baseUrl: 'http://localhost:8888/me/',
      wsUrl: 'ws://localhost:8888/me/',
      WebSocket: FakeSocket as never,
      appendToken: false,
      token: 'secret',
      ...options
    })
  );
  streams.push(stream);
  const seen: number[] = [];
  stream.events.connect((_, events) =>
    seen.push(...events.map(({ seq }) => seq))
  );
  const states: string[] = [];
  stream.state.connect((_, state) => states.push(state));
  return { stream, seen, states };
}

describe('EventStream', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    FakeSocket.all = [];
  });

  afterEach(() => {
    streams.splice(0).forEach(stream => stream.dispose());
    vi.useRealTimers();
  });

  it('follows from where it is told, once', () => {
    const { stream } = open();
    stream.connect(7);
    stream.connect(9);
    expect(FakeSocket.all.map(({ url }) => url)).toEqual([
      'ws://localhost:8888/me/mlwf/v1/events?after=7'
    ]);
  });

  it('gives the token as the other websockets of Lab do', () => {
    open({ appendToken: true }).stream.connect(0);
    expect(FakeSocket.last.url).toMatch(/\?after=0&token=secret$/);
  });

  it('comes back from the last event, and lets none come twice', () => {
    const { stream, seen, states } = open();
    stream.connect(0);
    FakeSocket.last.onopen!();
    FakeSocket.last.send(1, 2);
    FakeSocket.last.onclose!();
    expect(stream.live).toBe(false);
    vi.advanceTimersByTime(1000);
    expect(FakeSocket.last.url).toMatch(/\?after=2$/);
    FakeSocket.last.onopen!();
    FakeSocket.last.send(2, 3);
    expect(seen).toEqual([1, 2, 3]);
    expect(states).toEqual(['live', 'reconnecting', 'live']);
  });

  it('waits longer while the server stays away, but not for ever', () => {
    const { stream } = open();
    stream.connect(0);
    for (let failures = 0; failures < 12; failures++) {
      FakeSocket.last.onclose!();
      vi.advanceTimersByTime(22_500);
      expect(FakeSocket.all.length).toBe(failures + 2);
    }
    FakeSocket.last.onclose!();
    vi.advanceTimersByTime(5000);
    expect(FakeSocket.all.length).toBe(13);
  });

  it('leaves a connection that may have died while the machine slept', () => {
    const { stream, states } = open();
    stream.connect(0);
    const first = FakeSocket.last;
    first.onopen!();
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.all).toEqual([first]);
    vi.setSystemTime(Date.now() + 3_600_000);
    vi.advanceTimersByTime(10_000);
    expect(first.closed).toBe(true);
    expect(FakeSocket.all.length).toBe(2);
    expect(states).toEqual(['live', 'reconnecting']);
  });

  it('ends when it is disposed', () => {
    const { stream } = open();
    stream.connect(0);
    stream.dispose();
    expect(FakeSocket.last.closed).toBe(true);
    window.dispatchEvent(new Event('online'));
    vi.advanceTimersByTime(120_000);
    expect(FakeSocket.all.length).toBe(1);
  });
});
