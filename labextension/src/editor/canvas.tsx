import type {
  Connection,
  EdgeChange,
  Edge as FlowEdge,
  FinalConnectionState,
  NodeChange,
  OnConnectStartParams,
  ReactFlowInstance
} from '@xyflow/react';
import {
  Background,
  Controls,
  Panel,
  ReactFlow,
  applyEdgeChanges,
  applyNodeChanges
} from '@xyflow/react';
import React, { useCallback, useEffect, useMemo, useState } from 'react';
import { placeSteps } from '../model/geometry';
import { edges } from '../model/graph';
import type { Point, Workflow } from '../model/types';
import type { Port } from '../model/wiring';
import type { CanvasNode } from './annotations';
import { NODE_TYPES, moveNodes, toFrames, toNoteNodes } from './annotations';
import { ConnectMenu } from './connectMenu';
import { idsOf, selectionOf } from './selection';
import type { ICanvasActions } from './context';
import { CanvasContext, RenamingContext } from './context';
import { markEdges } from './edges';
import { FAR_ZOOM, FarGraph, LEGIBLE_ZOOM, MOST_DRAWN } from './far';
import { EmptyHint } from './hints';
import { toEdges, toNodes } from './flow';
import { WorkflowMap } from './map';
import { isStepNode } from './node';
import { PullContext, portAt } from './ports';
import { useSignal } from './useSignal';
import type { StepViews } from './views';
import type { Wiring } from './wiring';

export type Flow = ReactFlowInstance<CanvasNode>;

const NO_EDGES: FlowEdge[] = [];
/** Held while clicking, they add to what is selected. */
const MULTIPLE = ['Shift', 'Control', 'Meta'];
const FIT = { padding: 0.07, maxZoom: 1 };

/** The DAG of a workflow, drawn and edited with React Flow. */
export function Canvas(props: {
  views: StepViews;
  wiring: Wiring;
  workflow: Workflow;
  actions: ICanvasActions;
  onReady: (flow: Flow) => void;
}): JSX.Element {
  const { views: maker, wiring, workflow, actions } = props;
  const { editor } = wiring;
  const { trans } = editor;
  useSignal(editor.changed);
  useSignal(wiring.changed);
  const { selection, inspection, runs, staleness } = editor;
  const [isFar, setFar] = useState(false);
  const [isLegible, setLegible] = useState(true);
  const draw = useCallback(
    (old: CanvasNode[]): CanvasNode[] => {
      const views = maker.update(workflow);
      const places = placeSteps(workflow, name => views.get(name)!.height);
      const { steps, notes } = editor.selection;
      return [
        ...toNoteNodes(old, workflow, new Set(notes), editor.writing),
        ...toNodes(old, views, places, new Set(steps), isFar)
      ];
    },
    [editor, maker, workflow, isFar]
  );
  const [nodes, setNodes] = useState(() => draw([]));
  const [flowEdges, setEdges] = useState<FlowEdge[]>([]);
  const [flow, setFlow] = useState<Flow | null>(null);
  const [hovered, setHovered] = useState<string | null>(null);
  // Only what is there at first is brought into view: a notebook that is dropped stays where it was dropped.
  const [fitsAtFirst] = useState(nodes.length > 0);

  useEffect(
    () => setNodes(draw),
    [
      draw,
      inspection.answer,
      runs.current,
      staleness.steps,
      selection.steps,
      selection.notes,
      editor.writing
    ]
  );
  useEffect(() => {
    const selected = new Set(selection.edges);
    setEdges(old => toEdges(old, edges(workflow), selected));
  }, [workflow, selection.edges]);

  const onNodesChange = useCallback(
    (changes: NodeChange<CanvasNode>[]) => {
      setNodes(old => applyNodeChanges(changes, old));
      const ids = changed(idsOf(editor.selection), changes);
      editor.select({ ...editor.selection, ...selectionOf(ids) });
    },
    [editor]
  );
  const onEdgesChange = useCallback(
    (changes: EdgeChange[]) => {
      setEdges(old => applyEdgeChanges(changes, old));
      const ids = changed(editor.selection.edges, changes);
      editor.select({ ...editor.selection, edges: ids });
    },
    [editor]
  );
  const onMoved = useCallback(
    (_: unknown, __: unknown, moved: CanvasNode[]) =>
      editor.edit(old => moveNodes(old, moved)),
    [editor]
  );
  const onDrag = useCallback(
    (event: MouseEvent | TouchEvent, node: CanvasNode, all: CanvasNode[]) => {
      const isAlone =
        all.length === 1 && isStepNode(node) && wiring.canInsert(node.id);
      const points = isAlone ? [pointOf(event), middleOf(event.target)] : [];
      wiring.over = wiring.edgeAt(...points);
    },
    [wiring]
  );
  const onDropped = useCallback(
    (event: unknown, node: CanvasNode, all: CanvasNode[]) => {
      if (wiring.over === null) {
        onMoved(event, node, all);
      } else {
        wiring.insertMoved(node.id, node.position);
      }
    },
    [wiring, onMoved]
  );
  const isValid = useCallback(
    (connection: Connection | FlowEdge) => {
      const ports = portsOf(connection);
      return ports !== null && wiring.canConnect(...ports);
    },
    [wiring]
  );
  const onConnect = useCallback(
    (connection: Connection) => {
      const ports = portsOf(connection);
      if (ports) {
        wiring.connect(...ports);
      }
    },
    [wiring]
  );
  const onConnectStart = useCallback(
    (_: unknown, { nodeId, handleId }: OnConnectStartParams) => {
      if (nodeId && handleId) {
        wiring.start(portAt(nodeId, handleId));
      }
    },
    [wiring]
  );
  const onConnectEnd = useCallback(
    (event: MouseEvent | TouchEvent, end: FinalConnectionState) => {
      if (end.isValid || !flow) {
        wiring.cancel();
      } else {
        const pointer = pointOf(event);
        const refused = end.toHandle?.id
          ? portAt(end.toHandle.nodeId, end.toHandle.id)
          : null;
        wiring.drop(pointer, refused, flow.screenToFlowPosition(pointer));
      }
    },
    [wiring, flow]
  );
  const { over } = wiring;
  const shownEdges = useMemo(
    () => markEdges(flowEdges, workflow, { over, hovered, trans }),
    [flowEdges, workflow, over, hovered, trans]
  );
  const steps = useMemo(() => nodes.filter(isStepNode), [nodes]);
  const shown = useMemo(
    () => [...toFrames(workflow, nodes), ...nodes],
    [workflow, nodes]
  );
  const context = useMemo(() => ({ editor, ...actions }), [editor, actions]);

  return (
    <CanvasContext.Provider value={context}>
      <RenamingContext.Provider value={editor.renaming}>
        <PullContext.Provider value={wiring.pull}>
          <ReactFlow
            nodes={shown}
            edges={isFar ? NO_EDGES : shownEdges}
            nodeTypes={NODE_TYPES}
            onNodesChange={onNodesChange}
            onEdgesChange={onEdgesChange}
            onNodeDrag={onDrag}
            onNodeDragStop={onDropped}
            onSelectionDragStop={(event, moved) => onMoved(event, null, moved)}
            onConnect={onConnect}
            onConnectStart={onConnectStart}
            onConnectEnd={onConnectEnd}
            isValidConnection={isValid}
            onNodeDoubleClick={(_, node) => {
              if (isStepNode(node)) {
                actions.openNotebook(node.id);
              }
            }}
            onNodeContextMenu={(_, node) => {
              if (node.type !== 'group' && !node.selected) {
                editor.select(selectionOf([node.id]));
              }
            }}
            onEdgeContextMenu={(_, edge) => editor.select({ edges: [edge.id] })}
            onEdgeMouseEnter={(_, edge) => setHovered(edge.id)}
            onEdgeMouseLeave={() => setHovered(null)}
            onInit={ready => {
              setFlow(ready);
              props.onReady(ready);
            }}
            className={isLegible ? '' : 'mlwf-mod-illegible'}
            onMove={(_, { zoom }) => {
              setFar(zoom < FAR_ZOOM);
              setLegible(zoom >= LEGIBLE_ZOOM);
            }}
            onlyRenderVisibleElements={!isFar || nodes.length > MOST_DRAWN}
            // React Flow listens for these keys on the whole page: they would be eaten in notebooks, too.
            multiSelectionKeyCode={MULTIPLE}
            deleteKeyCode={null}
            panActivationKeyCode={null}
            disableKeyboardA11y
            zoomOnDoubleClick={false}
            connectionRadius={24}
            minZoom={0.05}
            maxZoom={2}
            fitView={fitsAtFirst}
            fitViewOptions={FIT}
          >
            {isFar ? (
              <FarGraph nodes={steps} edges={flowEdges} />
            ) : (
              <Background gap={20} size={1.5} />
            )}
            {nodes.length > 0 && (
              <Controls showInteractive={false} fitViewOptions={FIT} />
            )}
            {steps.length > 1 && <WorkflowMap nodes={steps} trans={trans} />}
            {Object.keys(workflow.steps ?? {}).length === 0 && (
              <EmptyHint trans={trans} />
            )}
            {inspection.error !== null && (
              <Panel position="top-left" className="mlwf-Notice">
                <span role="status">
                  {trans.__('Notebooks cannot be read now.')} {inspection.error}
                </span>
              </Panel>
            )}
          </ReactFlow>
          {wiring.menu && (
            <ConnectMenu
              key={`${wiring.menu.at.x} ${wiring.menu.at.y}`}
              wiring={wiring}
              menu={wiring.menu}
              room={wiring.room}
            />
          )}
        </PullContext.Provider>
      </RenamingContext.Provider>
    </CanvasContext.Provider>
  );
}

/** The two ports of a connection; null while it has only one. */
function portsOf({
  source,
  target,
  sourceHandle,
  targetHandle
}: Connection | FlowEdge): [Port, Port] | null {
  return sourceHandle && targetHandle
    ? [portAt(source, sourceHandle), portAt(target, targetHandle)]
    : null;
}

function pointOf(event: MouseEvent | TouchEvent): Point {
  const { clientX, clientY } =
    'changedTouches' in event ? event.changedTouches[0] : event;
  return { x: clientX, y: clientY };
}

/** The middle of the node that an element is a part of, on the screen. */
function middleOf(target: EventTarget | null): Point {
  const node = (target as Element | null)?.closest('.react-flow__node');
  const { left, top, width, height } =
    node?.getBoundingClientRect() ?? new DOMRect(-1, -1);
  return { x: left + width / 2, y: top + height / 2 };
}

function changed(
  selected: readonly string[],
  changes: (NodeChange<CanvasNode> | EdgeChange)[]
): readonly string[] {
  let result = selected;
  for (const change of changes) {
    if (change.type === 'select') {
      const { id } = change;
      result = result.filter(other => other !== id);
      if (change.selected) {
        result = [...result, id];
      }
    }
  }
  return result;
}
