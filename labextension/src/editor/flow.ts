/** Views of steps and edges as React Flow wants them. What has not changed stays the same object. */
import type { Edge as FlowEdge, NodeHandle } from '@xyflow/react';
import { MarkerType, Position } from '@xyflow/react';
import { HEADER_HEIGHT, NODE_WIDTH, rowCentre } from '../model/geometry';
import type { Edge } from '../model/graph';
import { edgeId, edgeSource } from '../model/graph';
import { outputId } from '../model/ports';
import type { Point } from '../model/types';
import type { CanvasNode } from './annotations';
import type { StepNode } from './node';
import { flowOf } from '../model/wiring';
import { AFTER, BEFORE, inputHandle, isStepNode } from './node';
import type { IStepView } from './views';

/** Width and height of a port; `style/canvas.css` has the same. */
const PORT = 11;

export function toNodes(
  old: readonly CanvasNode[],
  views: ReadonlyMap<string, IStepView>,
  places: ReadonlyMap<string, Point>,
  selected: ReadonlySet<string>,
  isFar: boolean
): StepNode[] {
  const type = isFar ? ('far' as const) : ('step' as const);
  const known = new Map(old.filter(isStepNode).map(node => [node.id, node]));
  return [...views.values()].map(view => {
    const before = known.get(view.name);
    const isSelected = selected.has(view.name);
    // While a node is dragged, it is where the pointer is.
    const position = before?.dragging
      ? before.position
      : places.get(view.name)!;
    if (
      before?.data.view === view &&
      before.type === type &&
      before.position.x === position.x &&
      before.position.y === position.y &&
      (before.selected ?? false) === isSelected
    ) {
      return before;
    }
    return {
      ...before,
      id: view.name,
      type,
      position,
      selected: isSelected,
      // Sizes and ports are known: no measuring pass, and what is out of view is left out from the start.
      width: NODE_WIDTH,
      height: view.height,
      measured: { width: NODE_WIDTH, height: view.height },
      handles: before?.data.view === view ? before.handles : handlesOf(view),
      data: before?.data.view === view ? before.data : { view },
      ariaLabel: view.spoken
    };
  });
}

export function toEdges(
  old: readonly FlowEdge[],
  wanted: readonly Edge[],
  selected: ReadonlySet<string>
): FlowEdge[] {
  const known = new Map(old.map(edge => [edge.id, edge]));
  return wanted.map(edge => {
    const id = edgeId(edge);
    const before = known.get(id);
    const isSelected = selected.has(id);
    if (before && (before.selected ?? false) === isSelected) {
      return before;
    }
    const isData = edge.kind === 'data';
    const flow = flowOf(edge);
    return {
      id,
      source: edgeSource(edge),
      target: edge.target,
      sourceHandle: isData ? outputId(edge.source) : AFTER,
      targetHandle: isData ? inputHandle(edge.input) : BEFORE,
      className: `mlwf-mod-${edge.kind}`,
      ariaLabel: `${edgeSource(edge)} → ${edge.target}${flow ? `: ${flow}` : ''}`,
      selected: isSelected,
      markerEnd: { type: MarkerType.ArrowClosed, width: 14, height: 14 }
    };
  });
}

function handlesOf(view: IStepView): NodeHandle[] {
  const handle = (
    id: string,
    type: 'source' | 'target',
    centre: number
  ): NodeHandle => ({
    id,
    type,
    position: type === 'target' ? Position.Left : Position.Right,
    x: (type === 'target' ? 0 : NODE_WIDTH) - PORT / 2,
    y: centre - PORT / 2,
    width: PORT,
    height: PORT
  });
  const handles = [
    handle(BEFORE, 'target', HEADER_HEIGHT / 2),
    handle(AFTER, 'source', HEADER_HEIGHT / 2)
  ];
  const { inputs, outputs } = view.ports;
  view.rows.forEach((row, index) => {
    const centre = rowCentre(index);
    if (row.input !== null) {
      handles.push(
        handle(inputHandle(inputs[row.input].name), 'target', centre)
      );
    }
    if (row.output !== null) {
      handles.push(handle(outputId(outputs[row.output]), 'source', centre));
    }
  });
  return handles;
}
