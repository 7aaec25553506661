/** Puts boxes on the canvas in line. */
import type { Point } from './types';

export interface IBox extends Point {
  width: number;
  height: number;
}

export const ALIGNMENTS = [
  'left',
  'centre',
  'right',
  'top',
  'middle',
  'bottom'
] as const;

export type Alignment = (typeof ALIGNMENTS)[number];

export type Axis = 'horizontal' | 'vertical';

type Boxes = ReadonlyMap<string, IBox>;

/** Where boxes go so that their edges or centres are in line: on the outer edge, or in the middle, of all. */
export function align(boxes: Boxes, how: Alignment): Map<string, Point> {
  const { left, top, right, bottom } = bounds(boxes.values());
  return mapped(boxes, box => {
    switch (how) {
      case 'left':
        return { x: left, y: box.y };
      case 'centre':
        return { x: (left + right - box.width) / 2, y: box.y };
      case 'right':
        return { x: right - box.width, y: box.y };
      case 'top':
        return { x: box.x, y: top };
      case 'middle':
        return { x: box.x, y: (top + bottom - box.height) / 2 };
      case 'bottom':
        return { x: box.x, y: bottom - box.height };
    }
  });
}

/** Where boxes go so that the gaps between them are alike; the outermost two stay. */
export function distribute(boxes: Boxes, axis: Axis): Map<string, Point> {
  const isAcross = axis === 'horizontal';
  const start = (box: IBox) => (isAcross ? box.x : box.y);
  const length = (box: IBox) => (isAcross ? box.width : box.height);
  const order = [...boxes].sort(([, a], [, b]) => start(a) - start(b));
  if (order.length < 3) {
    return mapped(boxes, ({ x, y }) => ({ x, y }));
  }
  const first = order[0][1];
  const last = order[order.length - 1][1];
  const filled = order.slice(0, -1).reduce((sum, [, b]) => sum + length(b), 0);
  const gap = (start(last) - start(first) - filled) / (order.length - 1);
  let next = start(first);
  const places = new Map<string, Point>();
  for (const [name, box] of order) {
    places.set(name, isAcross ? { x: next, y: box.y } : { x: box.x, y: next });
    next += length(box) + gap;
  }
  return places;
}

/** The smallest box around some. */
export function bounds(boxes: Iterable<IBox>): {
  left: number;
  top: number;
  right: number;
  bottom: number;
} {
  const result = {
    left: Infinity,
    top: Infinity,
    right: -Infinity,
    bottom: -Infinity
  };
  for (const { x, y, width, height } of boxes) {
    result.left = Math.min(result.left, x);
    result.top = Math.min(result.top, y);
    result.right = Math.max(result.right, x + width);
    result.bottom = Math.max(result.bottom, y + height);
  }
  return result;
}

function mapped(
  boxes: Boxes,
  change: (box: IBox) => Point
): Map<string, Point> {
  return new Map([...boxes].map(([name, box]) => [name, change(box)]));
}
