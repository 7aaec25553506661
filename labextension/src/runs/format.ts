import type { TranslationBundle } from '@jupyterlab/translation';
import type { RunState, StepRecord, StepState } from '../api/types';

/** A duration for people: `0.4 s`, `12 s`, `3:05`, `1:02:07`. */
export function formatSeconds(seconds: number): string {
  const tenths = Math.round(Math.max(0, seconds) * 10);
  if (tenths < 100) {
    return `${(tenths / 10).toFixed(1)} s`;
  }
  const whole = Math.round(seconds);
  if (whole < 60) {
    return `${whole} s`;
  }
  const two = (n: number) => String(n).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  const rest = two(whole % 60);
  return minutes < 60
    ? `${minutes}:${rest}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${rest}`;
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'];

/** A size for people: `0 byte`, `2 kB`, `3.4 MB`. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3);
  const unit = Math.min(power, UNITS.length - 1);
  return new Intl.NumberFormat('en', {
    style: 'unit',
    unit: UNITS[unit],
    maximumFractionDigits: unit < 2 ? 0 : 1
  }).format(bytes / 1000 ** unit);
}

/** A metric for people: four significant digits. */
export function formatNumber(value: number | null): string {
  if (value === null) {
    return '–';
  }
  return Number.isInteger(value) && Math.abs(value) < 1e15
    ? value.toLocaleString('en')
    : Number(value.toPrecision(4)).toString();
}

/** Any JSON value on one line. */
export function formatValue(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Seconds that something took, or has taken so far. */
export function secondsSoFar(started: string, now: number): number {
  return Math.max(0, (now - Date.parse(started)) / 1000);
}

/** Seconds of the last attempt of a step: final, or so far; null if there is none. */
export function stepSeconds(step: StepRecord, now: number): number | null {
  return step.state === 'running' && step.started
    ? secondsSoFar(step.started, now)
    : step.seconds;
}

/** The word for a state. */
export function stateWord(
  state: RunState | StepState,
  trans: TranslationBundle
): string {
  switch (state) {
    case 'pending':
      return trans.__('pending');
    case 'queued':
      return trans.__('queued');
    case 'running':
      return trans.__('running');
    case 'waiting':
      return trans.__('waiting');
    case 'stopping':
      return trans.__('stopping');
    case 'succeeded':
      return trans.__('succeeded');
    case 'cached':
      return trans.__('cached');
    case 'skipped':
      return trans.__('skipped');
    case 'failed':
      return trans.__('failed');
    case 'stopped':
      return trans.__('stopped');
  }
}

/** The word for a state of a run: one that waits was paused. */
export function runStateWord(
  state: RunState,
  trans: TranslationBundle
): string {
  return state === 'waiting' ? trans.__('paused') : stateWord(state, trans);
}

/** Seconds until a step that failed is started again; null if it waits for nothing of the kind. */
export function secondsToRetry(step: StepRecord, now: number): number | null {
  return step.state === 'pending' && step.not_before
    ? Math.max(0, Math.ceil((Date.parse(step.not_before) - now) / 1000))
    : null;
}

/** The kind of failure in words, to stand behind `failed:`. */
export function reasonWord(
  reason: NonNullable<StepRecord['reason']>,
  trans: TranslationBundle
): string {
  switch (reason) {
    case 'error':
      return trans.__('error');
    case 'timeout':
      return trans.__('too slow');
    case 'memory':
      return trans.__('out of memory');
    case 'kernel-died':
      return trans.__('kernel died');
    case 'lost':
      return trans.__('worker lost');
    case 'check':
      return trans.__('check not passed');
    case 'upstream':
      return trans.__('a step before it failed');
    case 'rejected':
      return trans.__('rejected');
  }
}
