import type { Point } from './types';

export type Direction = 'left' | 'right' | 'up' | 'down';

/** Sideways distance counts double: what lies straight ahead comes first. */
const SIDEWAYS = 2;

/**
 * The place that lies nearest in a direction; the leftmost one if it is not said from where.
 */
export function nearest(
  places: ReadonlyMap<string, Point>,
  from: string | undefined,
  direction: Direction
): string | undefined {
  const start = from === undefined ? undefined : places.get(from);
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const [name, place] of places) {
    const distance = start ? measure(start, place, direction) : place.x;
    if (name !== from && distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

function measure(from: Point, to: Point, direction: Direction): number {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  const [ahead, aside] = {
    left: [-dx, dy],
    right: [dx, dy],
    up: [-dy, dx],
    down: [dy, dx]
  }[direction];
  return ahead > 0 ? ahead + SIDEWAYS * Math.abs(aside) : Infinity;
}
