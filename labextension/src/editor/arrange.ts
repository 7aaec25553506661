/** What is done to all that is selected on a canvas. */
import { Notification } from '@jupyterlab/apputils';
import type { Alignment, Axis, IBox } from '../model/align';
import { align, bounds, distribute } from '../model/align';
import { copy, paste, readClip } from '../model/clipboard';
import type { IClip } from '../model/clipboard';
import { move } from '../model/edits';
import { moveNotes } from '../model/frames';
import type { Direction } from '../model/neighbours';
import type { Point, Workflow } from '../model/types';
import type { CanvasWidget } from './canvasWidget';
import { readClipboard, writeClipboard } from './clipboard';
import { tidy } from './layout';
import { idsOf, selectionOf } from './selection';

export type { Direction };

/** A square of the canvas, in pixels. */
const SQUARE = 20;

const DIRECTIONS: { [direction in Direction]: Point } = {
  left: { x: -1, y: 0 },
  right: { x: 1, y: 0 },
  up: { x: 0, y: -1 },
  down: { x: 0, y: 1 }
};

export function copySelection(canvas: CanvasWidget): void {
  writeClipboard(selectedText(canvas));
}

/** Paste what is in the clipboard: where the pointer is, or beside where it was copied. */
export async function pasteSteps(canvas: CanvasWidget): Promise<void> {
  const { pointer, editor } = canvas;
  const all = Object.keys(editor.workflow?.steps ?? {});
  // Over a step, such as the one that was copied, there is no room.
  const at =
    pointer && ![...canvas.boxes(all).values()].some(holds(pointer))
      ? pointer
      : undefined;
  const clip = readClip(await readClipboard());
  if (clip) {
    put(canvas, clip, at);
  } else {
    const { trans } = editor;
    Notification.info(trans.__('The clipboard holds no steps.'), {
      autoClose: 3000
    });
  }
}

function holds({ x, y }: Point): (box: IBox) => boolean {
  return box =>
    x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height;
}

export function duplicateSelection(canvas: CanvasWidget): void {
  const clip = readClip(selectedText(canvas));
  if (clip) {
    put(canvas, clip, undefined);
  }
}

export function moveSelection(
  canvas: CanvasWidget,
  direction: Direction,
  isFar: boolean
): void {
  const by = DIRECTIONS[direction];
  const length = isFar ? SQUARE : 1;
  const places = [...selectedBoxes(canvas)].map(([id, { x, y }]) => {
    const place = { x: x + by.x * length, y: y + by.y * length };
    return [id, place] as const;
  });
  // Presses that follow one another at once are undone together.
  place(canvas, new Map(places), `move ${idsOf(canvas.editor.selection)}`);
}

export function alignSelection(canvas: CanvasWidget, how: Alignment): void {
  place(canvas, align(selectedBoxes(canvas), how));
}

export function distributeSelection(canvas: CanvasWidget, axis: Axis): void {
  place(canvas, distribute(selectedBoxes(canvas), axis));
}

/** Put what is selected where few of its edges cross; its corner stays where it is. */
export async function tidySelection(canvas: CanvasWidget): Promise<void> {
  const { workflow, selection } = canvas.editor;
  if (!workflow) {
    return;
  }
  const boxes = canvas.boxes(selection.steps);
  const found = await tidy(workflow, name => boxes.get(name)?.height ?? 0, [
    ...boxes.keys()
  ]);
  const { left, top } = bounds(boxes.values());
  const steps = canvas.editor.workflow?.steps ?? {};
  const places = Object.entries(found)
    .filter(([name]) => Object.hasOwn(steps, name))
    .map(([name, { x, y }]) => [name, { x: x + left, y: y + top }] as const);
  place(canvas, new Map(places));
}

function selectedText(canvas: CanvasWidget): string {
  const { editor, actions } = canvas;
  const workflow = editor.workflow!;
  const places = canvas.places(workflow);
  return copy(workflow, editor.selection, places, actions.folder());
}

function selectedBoxes(canvas: CanvasWidget): Map<string, IBox> {
  return canvas.boxes(idsOf(canvas.editor.selection));
}

function put(canvas: CanvasWidget, clip: IClip, at: Point | undefined): void {
  const { editor, actions } = canvas;
  let added: { steps: string[]; notes: string[] } = { steps: [], notes: [] };
  editor.edit(old => {
    const { document, ...rest } = paste(old, clip, {
      folder: actions.folder(),
      at
    });
    added = rest;
    return document;
  });
  editor.select({ steps: added.steps, notes: added.notes });
  canvas.node.focus();
}

/** Move nodes, given by their ids. */
function place(
  { editor }: CanvasWidget,
  places: ReadonlyMap<string, Point>,
  gesture?: string
): void {
  const { steps, notes } = selectionOf([...places.keys()]);
  const of = (names: readonly string[], ids: readonly string[]) =>
    Object.fromEntries(names.map((name, at) => [name, places.get(ids[at])!]));
  editor.edit((old: Workflow) => {
    const moved = steps.length ? move(old, of(steps, steps)) : old;
    return moveNotes(moved, of(notes, idsOf({ steps: [], edges: [], notes })));
  }, gesture);
}
