import type {
  Connection,
  EdgeChange,
  Edge as FlowEdge,
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
import { ancestors, closesCycle, descendants, edges } from '../model/graph';
import { connect, connectOrder, move } from '../model/edits';
import type { Point, Workflow } from '../model/types';
import type { ICanvasActions } from './context';
import { BlockedContext, CanvasContext, RenamingContext } from './context';
import type { Editor } from './editor';
import { FAR_ZOOM, FarGraph, LEGIBLE_ZOOM, MOST_DRAWN } from './far';
import { EmptyHint } from './hints';
import { toEdges, toNodes } from './flow';
import { WorkflowMap } from './map';
import type { StepNode } from './node';
import { AFTER, BEFORE, FarNodeView, StepNodeView } from './node';
import { useSignal } from './useSignal';
import { StepViews } from './views';

export type Flow = ReactFlowInstance<StepNode>;

const NODE_TYPES = { step: StepNodeView, far: FarNodeView };
const NO_EDGES: FlowEdge[] = [];
const NOTHING: ReadonlySet<string> = new Set();
const FIT = { padding: 0.07, maxZoom: 1 };

/** The DAG of a workflow, drawn and edited with React Flow. */
export function Canvas(props: {
  editor: Editor;
  workflow: Workflow;
  actions: ICanvasActions;
  onReady: (flow: Flow) => void;
}): JSX.Element {
  const { editor, workflow, actions } = props;
  const { trans } = editor;
  useSignal(editor.changed);
  const { selection, inspection, runs, staleness } = editor;
  const maker = useMemo(() => new StepViews(editor), [editor]);
  const [isFar, setFar] = useState(false);
  const [isLegible, setLegible] = useState(true);
  const draw = useCallback(
    (old: StepNode[]) => {
      const views = maker.update(workflow);
      const places = placeSteps(workflow, name => views.get(name)!.height);
      const selected = new Set(editor.selection.steps);
      return toNodes(old, views, places, selected, isFar);
    },
    [editor, maker, workflow, isFar]
  );
  const [nodes, setNodes] = useState(() => draw([]));
  const [flowEdges, setEdges] = useState<FlowEdge[]>([]);
  const [blocked, setBlocked] = useState(NOTHING);
  // Only what is there at first is brought into view: a notebook that is dropped stays where it was dropped.
  const [fitsAtFirst] = useState(nodes.length > 0);

  useEffect(
    () => setNodes(draw),
    [draw, inspection.answer, runs.current, staleness.steps, selection.steps]
  );
  useEffect(() => {
    const selected = new Set(selection.edges);
    setEdges(old => toEdges(old, edges(workflow), selected));
  }, [workflow, selection.edges]);

  const onNodesChange = useCallback(
    (changes: NodeChange<StepNode>[]) => {
      setNodes(old => applyNodeChanges(changes, old));
      const steps = changed(editor.selection.steps, changes);
      editor.select({ steps, edges: editor.selection.edges });
    },
    [editor]
  );
  const onEdgesChange = useCallback(
    (changes: EdgeChange[]) => {
      setEdges(old => applyEdgeChanges(changes, old));
      const ids = changed(editor.selection.edges, changes);
      editor.select({ steps: editor.selection.steps, edges: ids });
    },
    [editor]
  );
  const onMoved = useCallback(
    (_: unknown, __: unknown, moved: StepNode[]) => {
      const to: { [name: string]: Point } = {};
      moved.forEach(node => (to[node.id] = node.position));
      editor.edit(old => move(old, to));
    },
    [editor]
  );
  const isValid = useCallback(
    (connection: Connection | FlowEdge) => canConnect(workflow, connection),
    [workflow]
  );
  const onConnect = useCallback(
    ({ source, target, sourceHandle, targetHandle }: Connection) => {
      if (sourceHandle === AFTER) {
        editor.edit(old => connectOrder(old, source, target));
      } else if (sourceHandle && targetHandle) {
        const [kind, ...name] = sourceHandle.split('.');
        const output = {
          kind: kind as 'outputs' | 'artifacts',
          step: source,
          name: name.join('.')
        };
        const input = targetHandle.slice(targetHandle.indexOf('.') + 1);
        editor.edit(old => connect(old, output, target, input));
      }
    },
    [editor]
  );
  const onConnectStart = useCallback(
    (_: unknown, { nodeId, handleType }: OnConnectStartParams) => {
      if (nodeId) {
        const search = handleType === 'source' ? ancestors : descendants;
        setBlocked(search(workflow, nodeId));
      }
    },
    [workflow]
  );
  const context = useMemo(() => ({ editor, ...actions }), [editor, actions]);

  return (
    <CanvasContext.Provider value={context}>
      <RenamingContext.Provider value={editor.renaming}>
        <BlockedContext.Provider value={blocked}>
          <ReactFlow
            nodes={nodes}
            edges={isFar ? NO_EDGES : flowEdges}
            nodeTypes={NODE_TYPES}
            onNodesChange={onNodesChange}
            onEdgesChange={onEdgesChange}
            onNodeDragStop={onMoved}
            onSelectionDragStop={(event, moved) => onMoved(event, null, moved)}
            onConnect={onConnect}
            onConnectStart={onConnectStart}
            onConnectEnd={() => setBlocked(NOTHING)}
            isValidConnection={isValid}
            onNodeDoubleClick={(_, node) => actions.openNotebook(node.id)}
            onNodeContextMenu={(_, node) => {
              if (!editor.selection.steps.includes(node.id)) {
                editor.select({ steps: [node.id] });
              }
            }}
            onEdgeContextMenu={(_, edge) => editor.select({ edges: [edge.id] })}
            onInit={props.onReady}
            className={isLegible ? '' : 'mlwf-mod-illegible'}
            onMove={(_, { zoom }) => {
              setFar(zoom < FAR_ZOOM);
              setLegible(zoom >= LEGIBLE_ZOOM);
            }}
            onlyRenderVisibleElements={!isFar || nodes.length > MOST_DRAWN}
            // React Flow listens for these keys on the whole page: they would be eaten in notebooks, too.
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
              <FarGraph nodes={nodes} edges={flowEdges} />
            ) : (
              <Background gap={20} size={1.5} />
            )}
            {nodes.length > 0 && (
              <Controls showInteractive={false} fitViewOptions={FIT} />
            )}
            {nodes.length > 1 && <WorkflowMap nodes={nodes} trans={trans} />}
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
        </BlockedContext.Provider>
      </RenamingContext.Provider>
    </CanvasContext.Provider>
  );
}

/** Whether a connection leads from an output to an input, or is one of order, and closes no circle. */
function canConnect(
  workflow: Workflow,
  { source, target, sourceHandle, targetHandle }: Connection | FlowEdge
): boolean {
  return (
    (sourceHandle === AFTER) === (targetHandle === BEFORE) &&
    !closesCycle(workflow, source, target)
  );
}

function changed(
  selected: readonly string[],
  changes: (NodeChange<StepNode> | EdgeChange)[]
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
