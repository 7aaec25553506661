/** What stands on the canvas beside steps, as nodes of React Flow: notes, and frames around groups. */
import type { Node } from '@xyflow/react';
import { bounds } from '../model/align';
import { move } from '../model/edits';
import { NOTE_SIZE, moveNotes } from '../model/frames';
import type { Point, Workflow } from '../model/types';
import { FrameView } from './frame';
import type { StepNode } from './node';
import { FarNodeView, StepNodeView, isStepNode } from './node';
import { NoteView } from './notes';
import { GROUP, NOTE } from './selection';

export type NoteNode = Node<
  { name: string; text: string; isWritten: boolean },
  'note'
>;
export type FrameNode = Node<
  { name: string; title: string; steps: readonly string[] },
  'group'
>;
export type CanvasNode = StepNode | NoteNode | FrameNode;

export const NODE_TYPES = {
  step: StepNodeView,
  far: FarNodeView,
  note: NoteView,
  group: FrameView
};

/** Around the steps of a group; on top there is its title, too. */
const PADDING = 16;
const TITLE = 28;

/** Where the document says that nodes stand, after they have been moved. */
export function moveNodes(
  document: Workflow,
  nodes: readonly CanvasNode[]
): Workflow {
  const steps: { [name: string]: Point } = {};
  const notes: { [name: string]: Point } = {};
  for (const node of nodes) {
    if (isStepNode(node)) {
      steps[node.id] = node.position;
    } else if (node.type === 'note') {
      notes[node.data.name] = node.position;
    }
  }
  const moved = Object.keys(steps).length ? move(document, steps) : document;
  return moveNotes(moved, notes);
}

export function toNoteNodes(
  old: readonly CanvasNode[],
  { notes = {}, steps = {} }: Workflow,
  selected: ReadonlySet<string>,
  written: string | null
): NoteNode[] {
  const known = new Map(old.map(node => [node.id, node]));
  return Object.entries(notes).flatMap(([name, note]): NoteNode[] => {
    const id = NOTE + name;
    if (Object.hasOwn(steps, id)) {
      return []; // only a document with an impossible name has such a step
    }
    const before = known.get(id);
    const { width, height } = NOTE_SIZE;
    const [w, h] = note.size ?? [width, height];
    return [
      {
        ...(before?.type === 'note' ? before : {}),
        id,
        type: 'note',
        position: before?.dragging
          ? before.position
          : { x: note.at[0], y: note.at[1] },
        width: w,
        height: h,
        measured: { width: w, height: h },
        selected: selected.has(name),
        zIndex: -1,
        data: { name, text: note.text, isWritten: name === written },
        ariaLabel: note.text.slice(0, 100)
      }
    ];
  });
}

/** Frames around groups, as large as their steps need now. */
export function toFrames(
  { groups = {} }: Workflow,
  nodes: readonly CanvasNode[]
): FrameNode[] {
  const entries = Object.entries(groups);
  if (!entries.length) {
    return [];
  }
  const boxes = new Map(
    nodes
      .filter(isStepNode)
      .map(({ id, position, width = 0, height = 0 }) => [
        id,
        { ...position, width, height }
      ])
  );
  const chosen = new Set(
    nodes.flatMap(({ id, selected }) => (selected ? [id] : []))
  );
  return entries.flatMap(([name, group]): FrameNode[] => {
    const steps = (group.steps ?? []).filter(step => boxes.has(step));
    if (!steps.length) {
      return [];
    }
    const around = bounds(steps.map(step => boxes.get(step)!));
    const width = around.right - around.left + 2 * PADDING;
    const height = around.bottom - around.top + 2 * PADDING + TITLE;
    return [
      {
        id: GROUP + name,
        type: 'group',
        position: {
          x: around.left - PADDING,
          y: around.top - PADDING - TITLE
        },
        width,
        height,
        measured: { width, height },
        selectable: false,
        // Else React Flow would take the selection away as the frame is dragged.
        selected: steps.every(step => chosen.has(step)),
        focusable: false,
        dragHandle: '.mlwf-Frame-title',
        zIndex: -2,
        data: { name, title: group.title || name, steps }
      }
    ];
  });
}
