import type { Message } from '@lumino/messaging';
import { SplitPanel, type Widget } from '@lumino/widgets';
import type { RunsModel } from '../runs/session';
import type { IWorkflowPanel } from '../tokens';
import { CanvasWidget } from './canvasWidget';
import type { ICanvasActions } from './context';
import { DrawerWidget } from './drawer';
import type { Editor } from './editor';
import type { InspectorTab } from './inspector';
import { InspectorWidget } from './inspector';
import type { IKernelChoice } from './stepWidgets';
import type { WorkspaceFiles } from './workspaceFiles';

const INSPECTOR_WIDTH = 318;
const DRAWER_HEIGHT = 220;
/** Below this width the inspector leaves no room for the canvas, and opens only when it is asked for. */
const NARROW = 720;

export interface IPanelOptions {
  editor: Editor;
  actions: ICanvasActions;
  files: WorkspaceFiles;
  kernels: () => readonly IKernelChoice[];
  onOpenRunNotebook: (run: string, step: string, attempt?: number) => void;
  onRunCommand: (command: string, args: { run: string; step?: string }) => void;
}

/** Canvas, inspector and drawer of one workflow. */
export class WorkflowPanel extends SplitPanel implements IWorkflowPanel {
  constructor(options: IPanelOptions) {
    super({ orientation: 'vertical', spacing: 1 });
    this.addClass('mlwf-Panel');
    const { editor, actions } = options;
    this.editor = editor;
    this._actions = actions;
    this.canvas = new CanvasWidget(editor, actions, options.files);
    this.inspector = new InspectorWidget({
      editor,
      kernels: options.kernels,
      onOpenNotebook: actions.openNotebook,
      onSelectStep: step => this.canvas.selectStep(step)
    });
    this.drawer = new DrawerWidget({
      model: editor.runs,
      trans: editor.trans,
      onOpenNotebook: options.onOpenRunNotebook,
      onSelectStep: step => this.canvas.selectStep(step),
      execute: options.onRunCommand
    });
    this._body = new SplitPanel({ orientation: 'horizontal', spacing: 1 });
    this._body.addWidget(this.canvas);
    this._body.addWidget(this.inspector);
    SplitPanel.setStretch(this.canvas, 1);
    SplitPanel.setStretch(this.inspector, 0);
    this.addWidget(this._body);
    this.addWidget(this.drawer);
    SplitPanel.setStretch(this._body, 1);
    SplitPanel.setStretch(this.drawer, 0);
    this.inspector.hide();
    this.drawer.hide();
    editor.changed.connect(this._update, this);
    this._update();
  }

  readonly editor: Editor;
  readonly canvas: CanvasWidget;
  readonly inspector: InspectorWidget;
  readonly drawer: DrawerWidget;

  get runs(): RunsModel {
    return this.editor.runs;
  }

  get isInspectorOpen(): boolean {
    return !this.inspector.isHidden;
  }
  set isInspectorOpen(open: boolean) {
    this._inspectorWanted = open;
    this._update();
  }

  get isDrawerOpen(): boolean {
    return !this.drawer.isHidden;
  }
  set isDrawerOpen(open: boolean) {
    this._drawerWanted = open;
    this._update();
  }

  /** Open the notebook of a step. */
  openNotebook(step: string): void {
    this._actions.openNotebook(step);
  }

  /** Show a tab of the inspector, opening it if need be. */
  inspect(tab: InspectorTab): void {
    this.inspector.tab = tab;
    this.isInspectorOpen = true;
  }

  dispose(): void {
    if (!this.isDisposed) {
      super.dispose();
      this.editor.dispose();
    }
  }

  protected onResize(msg: Widget.ResizeMessage): void {
    super.onResize(msg);
    if (msg.width > 0) {
      this._width = msg.width;
      this._update();
    }
  }

  protected onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    this.canvas.activate();
  }

  protected onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    // Notebooks may have been saved where nobody could see it, such as in a terminal.
    this.editor.inspection.refresh();
  }

  /** Open and close inspector and drawer, as there is reason to. */
  private _update(): void {
    const { workflow, runs } = this.editor;
    const run = runs.current?.id;
    if (run !== this._run) {
      this._run = run;
      // Whoever starts a run, or comes back to one, wants to see how it goes.
      this._drawerWanted ||= runs.live;
    }
    if (this._width === 0) {
      return;
    }
    const inspector = this._inspectorWanted ?? this._width >= NARROW;
    setVisible(this.inspector, workflow !== null && inspector);
    setVisible(this.drawer, workflow !== null && this._drawerWanted);
    if (!this._isSized && this.isVisible) {
      this._isSized = true;
      const { width, height } = this.node.getBoundingClientRect();
      this._body.setRelativeSizes([width - INSPECTOR_WIDTH, INSPECTOR_WIDTH]);
      this.setRelativeSizes([height - DRAWER_HEIGHT, DRAWER_HEIGHT]);
    }
  }

  private readonly _actions: ICanvasActions;
  private readonly _body: SplitPanel;
  private _width = 0;
  private _isSized = false;
  private _inspectorWanted: boolean | null = null;
  private _drawerWanted = false;
  private _run: string | undefined;
}

function setVisible(widget: Widget, visible: boolean): void {
  if (widget.isHidden === visible) {
    widget.setHidden(!visible);
  }
}
