/**
 * The graph from afar, where of a step nothing but its title and its state could be read: nodes without ports,
 * and all edges as one line, since a thousand of each, with all that belongs to them, cannot be moved smoothly.
 */
import type { Edge as FlowEdge } from '@xyflow/react';
import { ViewportPortal } from '@xyflow/react';
import React, { memo, useMemo } from 'react';
import { HEADER_HEIGHT, NODE_WIDTH } from '../model/geometry';
import type { StepNode } from './node';

/** Below this zoom the graph is drawn from afar. */
export const FAR_ZOOM = 0.3;

/** Up to so many steps, all are there from afar: none has to be made anew as they are moved in and out of view. */
export const MOST_DRAWN = 1500;

/** All edges between steps; those that are selected stand out. */
export const FarEdges = memo(function FarEdges(props: {
  nodes: readonly StepNode[];
  edges: readonly FlowEdge[];
}): JSX.Element {
  const { nodes, edges } = props;
  const [all, selected] = useMemo(() => {
    const places = new Map(nodes.map(node => [node.id, node]));
    const lines = ['', ''];
    for (const edge of edges) {
      const from = places.get(edge.source);
      const to = places.get(edge.target);
      if (from && to) {
        lines[edge.selected ? 1 : 0] += line(from, to, edge);
      }
    }
    return lines;
  }, [nodes, edges]);
  return (
    <ViewportPortal>
      <svg className="mlwf-FarEdges" aria-hidden="true">
        <path d={all} />
        <path d={selected} className="mlwf-mod-selected" />
      </svg>
    </ViewportPortal>
  );
});

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
