import { NODE_WIDTH } from './geometry';
import type { Point } from './types';

const GAP = 40;

/** Where a node stands. */
export interface IPlace extends Point {
  height: number;
}

/** Places for nodes of these heights, one below the other, from a point on; none lies on what stands there already. */
export function column(
  start: Point,
  heights: readonly number[],
  taken: readonly IPlace[]
): Point[] {
  const inWay = taken
    .filter(({ x }) => Math.abs(x - start.x) < NODE_WIDTH)
    .sort((a, b) => a.y - b.y);
  let { y } = start;
  return heights.map(height => {
    for (const other of inWay) {
      if (y < other.y + other.height && other.y < y + height) {
        y = other.y + other.height + GAP;
      }
    }
    const place = { x: start.x, y };
    y += height + GAP;
    return place;
  });
}
