import { ReactWidget } from '@jupyterlab/apputils';
import type { Drag } from '@lumino/dragdrop';
import type { Message } from '@lumino/messaging';
import React, { Suspense, lazy } from 'react';
import type { IBox } from '../model/align';
import { NODE_WIDTH, placeSteps } from '../model/geometry';
import { addStep, move } from '../model/edits';
import type { Point, Workflow } from '../model/types';
import type { IWorkflowCanvas } from '../tokens';
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

// React Flow loads with the first workflow that is opened, not with Lab.
const Canvas = lazy(async () => ({
  default: (await import('./canvas')).Canvas
}));

const FILES_MIME = 'application/x-jupyter-icontents';
const FIT = { padding: 0.07, maxZoom: 1, duration: 200 };
const STAIR = 40;

/** The drawing area of a workflow: React Flow inside of Lab. */
export class CanvasWidget extends ReactWidget implements IWorkflowCanvas {
  /**
   * @param _toDocumentPath - makes a path relative to the document of one relative to the workspace.
   */
  constructor(
    readonly editor: Editor,
    private readonly _actions: ICanvasActions,
    private readonly _toDocumentPath: (path: string) => string
  ) {
    super();
    this.addClass('mlwf-Canvas');
    this.node.tabIndex = 0;
    // Lab's own Undo and Redo look for this mark.
    this.node.dataset.jpUndoer = 'true';
  }

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
    this.editor.deleteSelection();
    // What had the focus is gone: without this the focus falls to <body>, and shortcuts stop working.
    this.node.focus();
  }

  /** Add steps for notebooks, whose paths are relative to the workspace; where the view is if no place is given. */
  addNotebooks(paths: readonly string[], at?: Point): void {
    const added: string[] = [];
    const start = at ?? this._freePlace();
    this.editor.edit(workflow =>
      paths.reduce((result, path, index) => {
        const place = { x: start.x, y: start.y + index * 4 * STAIR };
        const step = addStep(result, this._toDocumentPath(path), place);
        added.push(step.name);
        return step.document;
      }, workflow)
    );
    this.editor.select({ steps: added });
    this.node.focus();
  }

  /** Put all steps where few edges cross. */
  async tidy(): Promise<void> {
    const { workflow } = this.editor;
    if (workflow) {
      const views = new StepViews(this.editor).update(workflow);
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
    return new Map(
      ids.flatMap((id): [string, IBox][] => {
        const node = this._flow?.getNode(id);
        const { width = 0, height = 0 } = node ?? {};
        return node ? [[id, { ...node.position, width, height }]] : [];
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
        editor={this.editor}
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
    }
  }

  private _onDrop(event: Drag.Event): void {
    this.removeClass('mlwf-mod-drop');
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
    const paths = event.mimeData.getData(FILES_MIME) as string[];
    const notebooks = paths.filter(path => path.endsWith('.ipynb'));
    if (notebooks.length) {
      const at = { x: pointer.x - NODE_WIDTH / 2, y: pointer.y - 18 };
      this.addNotebooks(notebooks, at);
    }
  }

  private _isSelected(id: string): boolean {
    return idsOf(this.editor.selection).includes(id);
  }

  /** A step that the keyboard reaches is selected. */
  private _onFocus(target: HTMLElement): void {
    const id = target.classList.contains('react-flow__node')
      ? target.dataset.id
      : undefined;
    const isNew = id !== undefined && !this._isSelected(id);
    if (isNew && target.matches(':focus-visible')) {
      this.editor.select(selectionOf([id]));
    }
  }

  /** The middle of the view, or the first place below it on a stair that no step stands on. */
  private _freePlace(): Point {
    const { middle } = this;
    const place = { x: middle.x - NODE_WIDTH / 2, y: middle.y - 2 * STAIR };
    const { workflow } = this.editor;
    const taken = workflow ? [...this.places(workflow).values()] : [];
    while (
      taken.some(
        other =>
          Math.abs(other.x - place.x) < STAIR &&
          Math.abs(other.y - place.y) < STAIR
      )
    ) {
      place.x += STAIR;
      place.y += STAIR;
    }
    return place;
  }

  /** Where all steps are. */
  places(workflow: Workflow): ReadonlyMap<string, Point> {
    const views = new StepViews(this.editor).update(workflow);
    return placeSteps(workflow, name => views.get(name)!.height);
  }

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

function pointOf({ clientX, clientY }: PointerEvent): Point {
  return { x: clientX, y: clientY };
}

function Content(props: {
  canvas: CanvasWidget;
  editor: Editor;
  actions: ICanvasActions;
  onReady: (flow: Flow) => void;
}): JSX.Element {
  const { editor } = props;
  useSignal(editor.changed);
  const { workflow } = editor;
  return workflow ? (
    <Suspense fallback={null}>
      <Canvas {...props} workflow={workflow} />
      {editor.isSearching && (
        <SearchPanel canvas={props.canvas} workflow={workflow} />
      )}
    </Suspense>
  ) : (
    <BrokenView editor={editor} />
  );
}
