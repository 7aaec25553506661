/** What edges show for a while: what flows along one that is pointed at, and that a step can be dropped into it. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Edge as FlowEdge } from '@xyflow/react';
import type { Edge } from '../model/graph';
import { edgeId, edges } from '../model/graph';
import type { Workflow } from '../model/types';
import { flowOf } from '../model/wiring';

export function markEdges(
  drawn: FlowEdge[],
  workflow: Workflow,
  marks: {
    over: string | null;
    hovered: string | null;
    trans: TranslationBundle;
  }
): FlowEdge[] {
  const { over, hovered, trans } = marks;
  const isMarked = ({ id, selected }: FlowEdge) =>
    selected === true || id === over || id === hovered;
  if (!drawn.some(isMarked)) {
    return drawn;
  }
  const known = new Map(edges(workflow).map(edge => [edgeId(edge), edge]));
  return drawn.map(edge => {
    const meant = known.get(edge.id);
    if (!meant || !isMarked(edge)) {
      return edge;
    }
    return edge.id === over
      ? {
          ...edge,
          className: `${edge.className} mlwf-mod-target`,
          label: trans.__('Insert here')
        }
      : { ...edge, label: sayEdge(meant, trans) };
  });
}

/** What an edge says. */
export function sayEdge(edge: Edge, trans: TranslationBundle): string {
  return (
    flowOf(edge) ??
    (edge.kind === 'order' ? trans.__('starts after') : trans.__('looks at it'))
  );
}
