import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../api/client';
import type { LogPage } from '../api/types';
import { LogTail } from './logtail';

const PAGE = 1 << 20;

/** A log that somebody writes, and that is read as the server gives it. */
class File {
  text: string | null = '';

  readonly read = vi.fn(async (after?: number): Promise<LogPage> => {
    if (this.text === null) {
      throw new ApiError('The log is not there yet.', 404, 'not-found');
    }
    const { length } = this.text;
    const start =
      after === undefined
        ? Math.max(length - PAGE, 0)
        : after > length
          ? 0
          : after;
    const text = this.text.slice(start, start + PAGE);
    return { text, start, end: start + text.length };
  });
}

function textOf(tail: LogTail): string {
  return tail.parts.map(({ text }) => text).join('');
}

describe('LogTail', () => {
  let file: File;
  let tail: LogTail;

  beforeEach(() => {
    vi.useFakeTimers();
    file = new File();
    tail = new LogTail(file.read);
  });

  afterEach(() => {
    tail.dispose();
    vi.useRealTimers();
  });

  const wait = () => vi.advanceTimersByTimeAsync(2_500);

  it('reads on for as long as more may come, and then to the end', async () => {
    file.text = 'one\n';
    tail.live = true;
    await wait();
    expect(textOf(tail)).toBe('one\n');
    file.text += 'two\n';
    await wait();
    expect(textOf(tail)).toBe('one\ntwo\n');
    file.text += 'three\n';
    tail.live = false;
    await wait();
    expect(textOf(tail)).toBe('one\ntwo\nthree\n');
    const reads = file.read.mock.calls.length;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(file.read.mock.calls.length).toBe(reads);
  });

  it('reads nothing twice when it is asked while it reads', async () => {
    file.text = 'one\n';
    tail.live = true;
    tail.live = false;
    await wait();
    expect(textOf(tail)).toBe('one\n');
  });

  it('keeps the last lines in parts, of which only the last changes', async () => {
    const line = `${'x'.repeat(99)}\n`;
    file.text = line.repeat(5_000);
    tail.live = true;
    await wait();
    const before = tail.parts;
    expect(textOf(tail)).toBe(file.text);
    expect(before.every(({ text }) => text.endsWith('\n'))).toBe(true);
    file.text += 'more\n';
    await wait();
    expect(tail.parts.slice(0, before.length - 1)).toEqual(before.slice(0, -1));
    expect(tail.isCut).toBe(false);

    file.text += line.repeat(30_000);
    await wait();
    expect(tail.isCut).toBe(true);
    expect(textOf(tail).length).toBeLessThanOrEqual(PAGE);
    expect(file.text.endsWith(textOf(tail))).toBe(true);
    expect(new Set(tail.parts.map(({ id }) => id)).size).toBe(
      tail.parts.length
    );
  });

  it('begins anew with a file that was begun anew', async () => {
    file.text = 'a long line\n';
    tail.live = true;
    await wait();
    file.text = 'new\n';
    await wait();
    expect(textOf(tail)).toBe('new\n');
  });

  it('waits for a log that is not there yet, but not for one that is gone', async () => {
    file.text = null;
    tail.live = true;
    await wait();
    expect(tail.loaded).toBe(true);
    expect(tail.error).toBeNull();
    file.text = 'one\n';
    await wait();
    expect(textOf(tail)).toBe('one\n');
    file.text = null;
    tail.live = false;
    await wait();
    expect(tail.error).toContain('not there');
  });
});
