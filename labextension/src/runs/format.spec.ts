import { describe, expect, it } from 'vitest';
import { formatBytes, formatNumber, formatSeconds } from './format';

describe('values for people', () => {
  it.each([
    [-1, '0.0 s'],
    [0.04, '0.0 s'],
    [9.94, '9.9 s'],
    [9.96, '10 s'],
    [59.4, '59 s'],
    [59.6, '1:00'],
    [185, '3:05'],
    [3727, '1:02:07']
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatSeconds(seconds)).toBe(text);
  });

  it.each([
    [0, '0 byte'],
    [999, '999 byte'],
    [2048, '2 kB'],
    [3_400_000, '3.4 MB'],
    [5e12, '5 TB'],
    [5e15, '5,000 TB']
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  it.each([
    [null, '–'],
    [7043, '7,043'],
    [0.861234, '0.8612'],
    [1e-9, '1e-9']
  ])('the metric %d is %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
});
