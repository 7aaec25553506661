/** What people put around steps on the canvas, and beside them: groups and notes. No run looks at them. */
import { freshName } from './names';
import type { Group, Note, Point, Workflow } from './types';

/** Of a note that says nothing of its size; `core/workflow.py` has the same. */
export const NOTE_SIZE = { width: 220, height: 120 };

const MIN_SIZE = 40;

/** Put steps into a new group, and out of those that they were in. */
export function addGroup(
  document: Workflow,
  steps: readonly string[]
): { document: Workflow; name: string } {
  const name = freshName('group', Object.keys(document.groups ?? {}));
  const members = Object.keys(document.steps ?? {}).filter(step =>
    steps.includes(step)
  );
  const others = Object.entries(document.groups ?? {}).flatMap(
    ([other, group]): [string, Group][] => {
      const left = (group.steps ?? []).filter(step => !steps.includes(step));
      return left.length ? [[other, { ...group, steps: left }]] : [];
    }
  );
  const groups = Object.fromEntries([
    ...others,
    [name, { steps: members }] as [string, Group]
  ]);
  return { document: { ...document, groups }, name };
}

/** Title a group; without a text its name is shown. */
export function titleGroup(
  document: Workflow,
  name: string,
  title: string
): Workflow {
  const group = document.groups?.[name];
  if (!group) {
    return document;
  }
  const { title: _, ...rest } = group;
  const titled = title.trim() ? { title: title.trim(), ...rest } : rest;
  return { ...document, groups: { ...document.groups, [name]: titled } };
}

/** Remove groups; their steps stay. */
export function removeGroups(
  document: Workflow,
  names: readonly string[]
): Workflow {
  const { groups, ...rest } = document;
  const left = Object.entries(groups ?? {}).filter(
    ([name]) => !names.includes(name)
  );
  return left.length ? { ...document, groups: Object.fromEntries(left) } : rest;
}

/** Names of the groups that some of the steps are in. */
export function groupsOf(
  document: Workflow,
  steps: readonly string[]
): string[] {
  return Object.entries(document.groups ?? {})
    .filter(([, group]) => group.steps?.some(step => steps.includes(step)))
    .map(([name]) => name);
}

export function addNote(
  document: Workflow,
  at: Point
): { document: Workflow; name: string } {
  const name = freshName('note', Object.keys(document.notes ?? {}));
  const note: Note = { text: '', at: pair(at.x, at.y) };
  const notes = { ...document.notes, [name]: note };
  return { document: { ...document, notes }, name };
}

/** Say what a note says; one that is left without a text is removed. */
export function writeNote(
  document: Workflow,
  name: string,
  text: string
): Workflow {
  if (!text.trim()) {
    return removeNotes(document, [name]);
  }
  return changeNote(document, name, note => ({ ...note, text }));
}

/** Move notes to whole pixels. */
export function moveNotes(
  document: Workflow,
  to: { [name: string]: Point }
): Workflow {
  return Object.entries(to).reduce(
    (result, [name, { x, y }]) =>
      changeNote(result, name, note => ({ ...note, at: pair(x, y) })),
    document
  );
}

export function resizeNote(
  document: Workflow,
  name: string,
  at: Point,
  size: { width: number; height: number }
): Workflow {
  return changeNote(document, name, note => ({
    ...note,
    at: pair(at.x, at.y),
    size: pair(Math.max(MIN_SIZE, size.width), Math.max(MIN_SIZE, size.height))
  }));
}

export function removeNotes(
  document: Workflow,
  names: readonly string[]
): Workflow {
  const { notes, ...rest } = document;
  const left = Object.entries(notes ?? {}).filter(
    ([name]) => !names.includes(name)
  );
  return left.length ? { ...document, notes: Object.fromEntries(left) } : rest;
}

function changeNote(
  document: Workflow,
  name: string,
  change: (note: Note) => Note
): Workflow {
  const note = document.notes?.[name];
  return note
    ? { ...document, notes: { ...document.notes, [name]: change(note) } }
    : document;
}

function pair(x: number, y: number): [number, number] {
  return [Math.round(x) + 0, Math.round(y) + 0];
}
