import { Notification, ReactWidget } from '@jupyterlab/apputils';
import type { Drag } from '@lumino/dragdrop';
import type { Message } from '@lumino/messaging';
import React, { Suspense, lazy } from 'react';
import type { IBox } from '../model/align';
import { NODE_WIDTH, nodeHeight, placeSteps } from '../model/geometry';
import { addStep, move } from '../model/edits';
import { edgeId, edges } from '../model/graph';
import type { INewStep } from '../model/kinds';
import type { IPlace } from '../model/placing';
import { column } from '../model/placing';
import type { Point, Workflow } from '../model/types';
import type { IWorkflowCanvas } from '../tokens';
import { Arrivals } from './arrivals';
import { BrokenView } from './broken';
import type { Flow } from './canvas';
import type { ICanvasActions } from './context';
import type { Editor } from './editor';
import { tidy } from './layout';
import { nearest } from '../model/neighbours';
import type { Direction } from '../model/neighbours';
import { SearchPanel } from './search';
import { idsOf, selectionOf } from './selection';
import { useSignal } from './useSignal';
import { StepViews } from './views';
import { Wiring } from './wiring';
import type { WorkspaceFiles } from './workspaceFiles';
import { canBeStep } from './workspaceFiles';

// React Flow loads with the first workflow that is opened, not with Lab.
const Canvas = lazy(async () => ({
  default: (await import('./canvas')).Canvas
}));

const FILES_MIME = 'application/x-jupyter-icontents';
const FIT = { padding: 0.07, maxZoom: 1, duration: 200 };

/** The drawing area of a workflow: React Flow inside of Lab. */
export class CanvasWidget extends ReactWidget implements IWorkflowCanvas {
  constructor(
    readonly editor: Editor,
    private readonly _actions: ICanvasActions,
    files: WorkspaceFiles
  ) {
    super();
    this._wiring = new Wiring(editor, files, this.node);
    this._arrivals = new Arrivals(this._wiring);
    this.views = new StepViews(editor);
    this.addClass('mlwf-Canvas');
    this.node.tabIndex = 0;
    // Lab's own Undo and Redo look for this mark.
    this.node.dataset.jpUndoer = 'true';
  }

  /** What is shown of each step. */
  readonly views: StepViews;

  get selectedSteps(): readonly string[] {
    return this.editor.selection.steps;
  }

  selectStep(name: string): void {
    this.reveal('step', name);
  }

  /** Select a step or a note, and bring it into the middle of the view. */
  reveal(kind: 'step' | 'note', name: string): void {
    const selection = { [`${kind}s`]: [name] };
    this.editor.select(selection);
    const [id] = idsOf({ steps: [], edges: [], notes: [], ...selection });
    void this._flow?.fitView({ ...FIT, nodes: [{ id }] });
  }

  /** Select, also, the step that lies next in a direction; the first one if none is selected. */
  selectNeighbour(direction: Direction, extend = false): void {
    const { workflow } = this.editor;
    if (workflow) {
      const from = this.selectedSteps[this.selectedSteps.length - 1];
      const next = nearest(this.places(workflow), from, direction);
      if (next !== undefined) {
        const others = extend
          ? this.selectedSteps.filter(name => name !== next)
          : [];
        this.editor.select({ steps: [...others, next] });
        this.node
          .querySelector<HTMLElement>(
            `.react-flow__node[data-id="${CSS.escape(next)}"]`
          )
          ?.focus();
      }
    }
  }

  selectAll(): void {
    const { steps, notes } = this.editor.workflow ?? {};
    this.editor.select({
      steps: Object.keys(steps ?? {}),
      notes: Object.keys(notes ?? {})
    });
  }

  /** Remove what is selected. */
  deleteSelection(): void {
    this._explainUses();
    this.editor.deleteSelection();
    // What had the focus is gone: without this the focus falls to <body>, and shortcuts stop working.
    this.node.focus();
  }

  /** List what the selected step can be connected with. */
  connectSelected(): void {
    const { workflow } = this.editor;
    const [step] = this.selectedSteps;
    const place = workflow && this.places(workflow).get(step);
    const node = this.node.querySelector(
      `.react-flow__node[data-id="${CSS.escape(step)}"]`
    );
    if (place) {
      const own = this.node.getBoundingClientRect();
      const { right, top } = node?.getBoundingClientRect() ?? own;
      const at = { x: right + 12 - own.left, y: top - own.top };
      this._wiring.connectStep(step, at, place);
    }
  }

  /**
   * Add steps for notebooks and other workflows.
   *
   * @param paths - relative to the workspace.
   * @param at - where; in the middle of the view if it is not said.
   * @param edge - the edge that a single one is put into.
   */
  async addFiles(
    paths: readonly string[],
    at?: Point,
    edge?: string
  ): Promise<void> {
    const added = await this._arrivals.add(paths, {
      at: at ?? this._middle(),
      taken: at && paths.length === 1 ? [] : [...this._standing().values()],
      edge
    });
    this.editor.select({ steps: added });
    this.node.focus();
    this._reveal(added);
  }

  /** Add steps that are no files, in the middle of the view. They are then selected. */
  addSteps(steps: readonly INewStep[]): void {
    const heights = steps.map(() => nodeHeight(1, 0));
    const places = column(this._middle(), heights, [
      ...this._standing().values()
    ]);
    const added: string[] = [];
    this.editor.edit(workflow =>
      steps.reduce((result, { step, wish }, index) => {
        const one = addStep(result, step, wish, places[index]);
        added.push(one.name);
        return one.document;
      }, workflow)
    );
    this.editor.select({ steps: added });
    this.node.focus();
    this._reveal(added);
  }

  /** Put all steps where few edges cross. */
  async tidy(): Promise<void> {
    const { workflow } = this.editor;
    if (workflow) {
      const views = this.views.update(workflow);
      const places = await tidy(workflow, name => views.get(name)!.height);
      const steps = this.editor.workflow?.steps ?? {};
      const known = Object.entries(places).filter(([name]) =>
        Object.hasOwn(steps, name)
      );
      this.editor.edit(old => move(old, Object.fromEntries(known)));
      requestAnimationFrame(() => this.fit());
    }
  }

  /** Where the pointer is on the canvas, or was last; undefined if that is out of view. */
  get pointer(): Point | undefined {
    const { left, top, right, bottom } = this.node.getBoundingClientRect();
    const at = this._pointer;
    const isIn =
      at && at.x > left && at.x < right && at.y > top && at.y < bottom;
    return isIn ? this._flow?.screenToFlowPosition(at) : undefined;
  }

  /** The middle of what is in view. */
  get middle(): Point {
    const { left, top, width, height } = this.node.getBoundingClientRect();
    const middle = { x: left + width / 2, y: top + height / 2 };
    return this._flow?.screenToFlowPosition(middle) ?? { x: 0, y: 0 };
  }

  get actions(): ICanvasActions {
    return this._actions;
  }

  /** Where steps and notes are, by the ids of their nodes. */
  boxes(ids: readonly string[]): Map<string, IBox> {
    const { workflow } = this.editor;
    // As the document says: what is drawn may be behind it.
    const places = workflow
      ? new Map(this.places(workflow))
      : new Map<string, Point>();
    const { notes } = selectionOf(ids);
    for (const name of notes) {
      const [x, y] = workflow?.notes?.[name].at ?? [0, 0];
      places.set(idsOf({ steps: [], edges: [], notes: [name] })[0], { x, y });
    }
    return new Map(
      ids.flatMap((id): [string, IBox][] => {
        const place = places.get(id);
        const { width = 0, height = 0 } = this._flow?.getNode(id) ?? {};
        return place ? [[id, { ...place, width, height }]] : [];
      })
    );
  }

  /** Bring all steps into view. */
  fit(): void {
    void this._flow?.fitView(FIT);
  }

  handleEvent(event: Event): void {
    switch (event.type) {
      case 'lm-dragenter':
      case 'lm-dragover':
        this._onDragOver(event as Drag.Event);
        break;
      case 'lm-dragleave':
        this.removeClass('mlwf-mod-drop');
        this._wiring.over = null;
        break;
      case 'lm-drop':
        this._onDrop(event as Drag.Event);
        break;
      case 'pointermove':
        this._pointer = pointOf(event as PointerEvent);
        break;
      case 'focusin':
        this._onFocus(event.target as HTMLElement);
        break;
    }
  }

  protected onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    EVENTS.forEach(type => this.node.addEventListener(type, this));
  }

  protected onBeforeDetach(msg: Message): void {
    EVENTS.forEach(type => this.node.removeEventListener(type, this));
    super.onBeforeDetach(msg);
  }

  protected onActivateRequest(): void {
    this.node.focus();
  }

  protected render(): JSX.Element {
    return (
      <Content
        canvas={this}
        wiring={this._wiring}
        actions={this._actions}
        onReady={flow => {
          this._flow = flow;
        }}
      />
    );
  }

  private _onDragOver(event: Drag.Event): void {
    if (event.mimeData.hasData(FILES_MIME) && this.editor.workflow) {
      event.preventDefault();
      event.stopPropagation();
      event.dropAction = event.proposedAction;
      this.addClass('mlwf-mod-drop');
      const pointer = { x: event.clientX, y: event.clientY };
      const isOne = filesOf(event).length === 1;
      this._wiring.over = isOne ? this._wiring.edgeAt(pointer) : null;
    }
  }

  private _onDrop(event: Drag.Event): void {
    this.removeClass('mlwf-mod-drop');
    const edge = this._wiring.over ?? undefined;
    this._wiring.over = null;
    if (!event.mimeData.hasData(FILES_MIME) || !this._flow) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    // The file browser proposes to move the files; 'copy' tells it that they stay where they are.
    event.dropAction = 'copy';
    const pointer = this._flow.screenToFlowPosition({
      x: event.clientX,
      y: event.clientY
    });
    const files = filesOf(event);
    if (files.length) {
      const at = { x: pointer.x - NODE_WIDTH / 2, y: pointer.y - 18 };
      void this.addFiles(files, at, edge);
    }
  }

  private _isSelected(id: string): boolean {
    return idsOf(this.editor.selection).includes(id);
  }

  /** A step, a note or an edge that the keyboard reaches is selected. */
  private _onFocus(target: HTMLElement): void {
    const { id } = target.dataset;
    if (id === undefined || !target.matches(':focus-visible')) {
      return;
    }
    if (target.classList.contains('react-flow__edge')) {
      this.editor.select({ edges: [id] });
    } else if (
      target.classList.contains('react-flow__node') &&
      !this._isSelected(id)
    ) {
      this.editor.select(selectionOf([id]));
    }
  }

  /** An expression holds more than its edge: only who reads it can take a step out of it. */
  private _explainUses(): void {
    const { workflow, selection, trans } = this.editor;
    const use = workflow
      ? edges(workflow).find(
          edge => edge.kind === 'use' && selection.edges.includes(edgeId(edge))
        )
      : undefined;
    if (use?.kind === 'use') {
      Notification.warning(
        trans.__(
          '‘%1’ looks at ‘%2’ in an expression or in its loop: change that in the inspector.',
          use.target,
          use.source
        ),
        { autoClose: 6000 }
      );
    }
  }

  /** Where a step stands in the middle of the view. */
  private _middle(): Point {
    const { x, y } = this.middle;
    return { x: x - NODE_WIDTH / 2, y: y - 80 };
  }

  private _standing(): ReadonlyMap<string, IPlace> {
    const { workflow } = this.editor;
    if (!workflow) {
      return new Map();
    }
    const views = this.views.update(workflow);
    return new Map(
      [...this.places(workflow)].map(([name, place]) => [
        name,
        { ...place, height: views.get(name)!.height }
      ])
    );
  }

  /** Widen the view so far that it holds these steps, too. They need not be drawn yet. */
  private _reveal(names: readonly string[]): void {
    const standing = this._standing();
    const { left, top, right, bottom } = this.node.getBoundingClientRect();
    const start = this._flow?.screenToFlowPosition({ x: left, y: top });
    const end = this._flow?.screenToFlowPosition({ x: right, y: bottom });
    if (!start || !end) {
      return;
    }
    let [x, y, far, low] = [start.x, start.y, end.x, end.y];
    for (const name of names) {
      const place = standing.get(name)!;
      x = Math.min(x, place.x);
      y = Math.min(y, place.y);
      far = Math.max(far, place.x + NODE_WIDTH);
      low = Math.max(low, place.y + place.height);
    }
    if (x < start.x || y < start.y || far > end.x || low > end.y) {
      const bounds = { x, y, width: far - x, height: low - y };
      void this._flow?.fitBounds(bounds, { padding: 0.05 });
    }
  }

  /** Where all steps are. */
  places(workflow: Workflow): ReadonlyMap<string, Point> {
    const views = this.views.update(workflow);
    return placeSteps(workflow, name => views.get(name)!.height);
  }

  private readonly _wiring: Wiring;
  private readonly _arrivals: Arrivals;
  private _flow: Flow | null = null;
  private _pointer: Point | undefined;
}

const EVENTS = [
  'lm-dragenter',
  'lm-dragover',
  'lm-dragleave',
  'lm-drop',
  'pointermove',
  'focusin'
];

/** What is dragged that can become a step. */
function filesOf(event: Drag.Event): string[] {
  const paths = event.mimeData.getData(FILES_MIME) as string[];
  return paths.filter(canBeStep);
}

function pointOf({ clientX, clientY }: PointerEvent): Point {
  return { x: clientX, y: clientY };
}

function Content(props: {
  canvas: CanvasWidget;
  wiring: Wiring;
  actions: ICanvasActions;
  onReady: (flow: Flow) => void;
}): JSX.Element {
  const { editor } = props.wiring;
  useSignal(editor.changed);
  const { workflow } = editor;
  return workflow ? (
    <Suspense fallback={null}>
      <Canvas {...props} views={props.canvas.views} workflow={workflow} />
      {editor.isSearching && (
        <SearchPanel canvas={props.canvas} workflow={workflow} />
      )}
    </Suspense>
  ) : (
    <BrokenView editor={editor} />
  );
}
