/**
 * The graph from afar, where of a step nothing but its title and its state could be read: nodes are titles
 * only, and their boxes and all edges are drawn as one picture, since a thousand of each, with all that belongs to them, cannot be moved smoothly.
 */
import type { Edge as FlowEdge } from '@xyflow/react';
import { ViewportPortal } from '@xyflow/react';
import React, { memo, useMemo } from 'react';
import { HEADER_HEIGHT, NODE_WIDTH } from '../model/geometry';
import type { StepNode } from './node';

/** Below this zoom the graph is drawn from afar. */
export const FAR_ZOOM = 0.3;

/** Below this zoom no title can be read. */
export const LEGIBLE_ZOOM = 0.1;

/** Up to so many steps, all are there from afar: none has to be made anew as they are moved in and out of view. */
export const MOST_DRAWN = 1500;

/** All steps and edges in few lines, one for all that look the same. */
export const FarGraph = memo(function FarGraph(props: {
  nodes: readonly StepNode[];
  edges: readonly FlowEdge[];
}): JSX.Element {
  const { nodes, edges } = props;
  const lines = useMemo(() => edgeLines(nodes, edges), [nodes, edges]);
  const boxes = useMemo(() => nodeBoxes(nodes), [nodes]);
  return (
    <ViewportPortal>
      <svg className="mlwf-FarGraph" aria-hidden="true">
        {[...lines, ...boxes].map(([look, d]) => (
          <path className={look} d={d} key={look} />
        ))}
      </svg>
    </ViewportPortal>
  );
});

function edgeLines(
  nodes: readonly StepNode[],
  edges: readonly FlowEdge[]
): Map<string, string> {
  const places = new Map(nodes.map(node => [node.id, node]));
  const lines = new Map<string, string>();
  for (const edge of edges) {
    const from = places.get(edge.source);
    const to = places.get(edge.target);
    if (from && to) {
      const look = edge.selected
        ? 'mlwf-mod-edge mlwf-mod-selected'
        : 'mlwf-mod-edge';
      lines.set(look, (lines.get(look) ?? '') + line(from, to, edge));
    }
  }
  return lines;
}

function nodeBoxes(nodes: readonly StepNode[]): Map<string, string> {
  const boxes = new Map<string, string>();
  for (const { data, position, selected } of nodes) {
    const { run, problems, height } = data.view;
    const look = [
      'mlwf-mod-box',
      ...(run ? [`mlwf-mod-${run.state}`] : []),
      ...(problems.length ? ['mlwf-mod-problem'] : []),
      ...(selected ? ['mlwf-mod-selected'] : [])
    ].join(' ');
    const { x, y } = position;
    let box = `M${x} ${y}h${NODE_WIDTH}v${height}h${-NODE_WIDTH}z`;
    if (run?.state === 'failed') {
      // Crossed out: color is not the only sign, even where no mark could be read.
      box += `l${NODE_WIDTH} ${height}m0 ${-height}l${-NODE_WIDTH} ${height}`;
    }
    boxes.set(look, (boxes.get(look) ?? '') + box);
  }
  return boxes;
}

/** From port to port, as React Flow bends it. */
function line(from: StepNode, to: StepNode, edge: FlowEdge): string {
  const x0 = from.position.x + NODE_WIDTH;
  const y0 = from.position.y + portHeight(from, edge.sourceHandle);
  const x1 = to.position.x;
  const y1 = to.position.y + portHeight(to, edge.targetHandle);
  const bend = x1 >= x0 ? (x1 - x0) / 2 : 0.25 * 25 * Math.sqrt(x0 - x1);
  return `M${x0} ${y0}C${x0 + bend} ${y0} ${x1 - bend} ${y1} ${x1} ${y1}`;
}

function portHeight(node: StepNode, id: string | null | undefined): number {
  const handle = node.handles?.find(each => each.id === id);
  return handle ? handle.y + (handle.height ?? 0) / 2 : HEADER_HEIGHT / 2;
}
