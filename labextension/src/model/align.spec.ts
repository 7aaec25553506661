import { expect, it } from 'vitest';
import type { IBox } from './align';
import { ALIGNMENTS, align, bounds, distribute } from './align';

let state = 3;
function random(below: number): number {
  state = (state * 1103515245 + 12345) % 2147483648;
  return Math.floor((state / 2147483648) * below);
}

function generate(): Map<string, IBox> {
  return new Map(
    Array.from({ length: 1 + random(6) }, (_, index) => [
      `s${index}`,
      {
        x: random(2000) - 1000,
        y: random(2000) - 1000,
        width: 220,
        height: 60 + random(200)
      }
    ])
  );
}

function moved(boxes: Map<string, IBox>, places: Map<string, object>) {
  return [...boxes].map(([name, box]): IBox => {
    return { ...box, ...places.get(name) };
  });
}

it.each(ALIGNMENTS)('boxes in line at their %s', how => {
  for (let round = 0; round < 100; round++) {
    const boxes = generate();
    const after = moved(boxes, align(boxes, how));
    const lines = after.map(
      box =>
        ({
          left: box.x,
          centre: box.x + box.width / 2,
          right: box.x + box.width,
          top: box.y,
          middle: box.y + box.height / 2,
          bottom: box.y + box.height
        })[how]
    );
    expect(new Set(lines).size).toBe(1);
    const isAcross = ['left', 'centre', 'right'].includes(how);
    const [before, now] = [bounds(boxes.values()), bounds(after)];
    const sides = isAcross
      ? (['top', 'bottom'] as const)
      : (['left', 'right'] as const);
    sides.forEach(side => expect(now[side]).toBe(before[side]));
    const again = new Map([...boxes.keys()].map((n, i) => [n, after[i]]));
    expect(moved(again, align(again, how))).toEqual(after);
  }
});

it.each(['horizontal', 'vertical'] as const)('gaps alike, %s', axis => {
  for (let round = 0; round < 100; round++) {
    const boxes = generate();
    const after = moved(boxes, distribute(boxes, axis));
    const order = after
      .map(box =>
        axis === 'horizontal'
          ? { start: box.x, end: box.x + box.width }
          : { start: box.y, end: box.y + box.height }
      )
      .sort((a, b) => a.start - b.start);
    const gaps = order.slice(1).map((box, at) => box.start - order[at].end);
    if (gaps.length > 1 && gaps[0] > -60) {
      gaps.forEach(gap => expect(gap).toBeCloseTo(gaps[0]));
    }
    expect(Math.min(...after.map(b => b.x))).toBe(
      Math.min(...[...boxes.values()].map(b => b.x))
    );
  }
});
