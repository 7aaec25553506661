import type { ELK, ElkNode } from 'elkjs/lib/elk-api';
import { NODE_WIDTH } from '../model/geometry';
import { edgeSource, edges } from '../model/graph';
import type { Point, Workflow } from '../model/types';

let elk: Promise<ELK> | null = null;

// In a worker: a thousand steps take seconds, in which the page must not stand still.
async function start(): Promise<ELK> {
  const { default: ELKApi } = await import('elkjs/lib/elk-api');
  return new ELKApi({
    workerFactory: () =>
      new Worker(new URL('elkjs/lib/elk-worker.min.js', import.meta.url))
  });
}

/** Places for steps, or for some of them, from left to right in layers, so that few edges cross. */
export async function tidy(
  workflow: Workflow,
  heightOf: (name: string) => number,
  names: readonly string[] = Object.keys(workflow.steps ?? {})
): Promise<{ [name: string]: Point }> {
  const wanted = new Set(names);
  const graph: ElkNode = {
    id: 'root',
    layoutOptions: {
      'elk.algorithm': 'layered',
      'elk.direction': 'RIGHT',
      'elk.layered.spacing.nodeNodeBetweenLayers': '80',
      'elk.spacing.nodeNode': '40',
      'elk.padding': '[top=0,left=0,bottom=0,right=0]'
    },
    children: names.map(name => ({
      id: name,
      width: NODE_WIDTH,
      height: heightOf(name)
    })),
    edges: edges(workflow)
      .filter(edge => wanted.has(edgeSource(edge)) && wanted.has(edge.target))
      .map((edge, index) => ({
        id: String(index),
        sources: [edgeSource(edge)],
        targets: [edge.target]
      }))
  };
  const result = await (await (elk ??= start())).layout(graph);
  return Object.fromEntries(
    (result.children ?? []).map(({ id, x, y }) => [
      id,
      { x: x ?? 0, y: y ?? 0 }
    ])
  );
}
