/** Sizes and places of nodes, in pixels. They are known before anything is drawn, so that nothing is measured. */
import { depths } from './graph';
import type { IPorts } from './ports';
import { describeInput } from './ports';
import type { Point, Workflow } from './types';

export const NODE_WIDTH = 220;
export const HEADER_HEIGHT = 36;
export const ROW_HEIGHT = 20;
export const FOOTER_HEIGHT = 28;
/** Cell progress, metrics or the message of a failure. */
export const RUN_ROW_HEIGHT = 24;
const BODY_PADDING = 6;

const COLUMN = 320;
const GAP = 40;

/** A line of a node: an input on its left, an output on its right. */
export interface IRow {
  input: number | null;
  output: number | null;
}

/**
 * Rows of a node's ports. An input whose value is shown needs the whole width; an output goes beside
 * one that needs only half of it.
 */
export function rowsOf(ports: IPorts): IRow[] {
  const rows = ports.inputs.map((_, input): IRow => ({ input, output: null }));
  let row = 0;
  ports.outputs.forEach((_, output) => {
    while (row < ports.inputs.length && describeInput(ports.inputs[row])) {
      row++;
    }
    if (row < ports.inputs.length) {
      rows[row].output = output;
    } else {
      rows.push({ input: null, output });
    }
    row++;
  });
  return rows;
}

/** Height of the middle of a row, from the top of its node. */
export function rowCentre(index: number): number {
  return HEADER_HEIGHT + BODY_PADDING + (index + 0.5) * ROW_HEIGHT;
}

export function nodeHeight(rows: number, runRows: number): number {
  const body = rows ? rows * ROW_HEIGHT + 2 * BODY_PADDING : 0;
  return HEADER_HEIGHT + body + runRows * RUN_ROW_HEIGHT + FOOTER_HEIGHT;
}

/**
 * Places of all steps: those of the document, and for steps that have none a column for each depth of
 * the graph, below what stands there already.
 */
export function placeSteps(
  document: Workflow,
  heightOf: (name: string) => number
): Map<string, Point> {
  const names = Object.keys(document.steps ?? {});
  const layout = document.layout ?? {};
  const places = new Map<string, Point>();
  for (const name of names) {
    // A step may be called `constructor`.
    if (Object.hasOwn(layout, name)) {
      places.set(name, { x: layout[name][0], y: layout[name][1] });
    }
  }
  const homeless = names.filter(name => !places.has(name));
  if (!homeless.length) {
    return places;
  }
  let bottom = 0;
  for (const [name, { y }] of places) {
    bottom = Math.max(bottom, y + heightOf(name) + GAP);
  }
  const depth = depths(document);
  const next = new Map<number, number>();
  for (const name of homeless) {
    const column = depth.get(name) ?? 0;
    const y = next.get(column) ?? bottom;
    places.set(name, { x: column * COLUMN, y });
    next.set(column, y + heightOf(name) + GAP);
  }
  return places;
}
