import { describe, expect, it } from 'vitest';
import type { RunEvent, RunRecord, RunSummary } from '../api/types';
import cases from '../../../tests/contract/runs.json';
import { applyEvents, applyToSummary, createRecord } from './fold';

interface IStory {
  title: string;
  events: RunEvent[];
  states: { events: number; record: RunRecord }[];
}

const STORIES = cases as unknown as IStory[];

describe.each(STORIES)('$title', ({ events, states }) => {
  it.each(states)('after $events events', ({ events: count, record }) => {
    const created = createRecord(events[0]);
    const rest = events.slice(1, count);
    expect(applyEvents(created, rest)).toEqual(record);
    // One by one is the same as all at once.
    const folded = rest.reduce((run, e) => applyEvents(run, [e]), created);
    expect(folded).toEqual(record);
  });

  it('makes the row of a list too', () => {
    const { record } = states[states.length - 1];
    const { seq, parameters, steps, ...row } = record;
    const created: Partial<RunRecord> = createRecord(events[0]);
    delete created.seq;
    delete created.parameters;
    delete created.steps;
    expect(events.reduce(applyToSummary, created as RunSummary)).toEqual(row);
    expect({ ...row, seq, parameters, steps }).toEqual(record);
  });

  it('takes no event twice, and none of another run', () => {
    const { record } = states[states.length - 1];
    expect(applyEvents(record, events)).toBe(record);
    const other = events.map(e => ({ ...e, run: 'r8', seq: e.seq + 1000 }));
    expect(applyEvents(record, other)).toBe(record);
  });

  it('leaves what it was given as it was', () => {
    const record = createRecord(events[0]);
    const before = structuredClone(record);
    const after = applyEvents(record, events.slice(0, 4));
    expect(record).toEqual(before);
    const touched = new Set(events.slice(0, 4).map(e => e.step));
    for (const [name, step] of Object.entries(record.steps)) {
      expect(after.steps[name] === step).toBe(!touched.has(name));
    }
  });
});
