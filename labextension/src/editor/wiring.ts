import { InputDialog, Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import { addStep, move } from '../model/edits';
import { fileStep } from '../model/kinds';
import { NODE_WIDTH } from '../model/geometry';
import type { Edge } from '../model/graph';
import { edgeId, edges } from '../model/graph';
import type { IPorts } from '../model/ports';
import { portsOf, takenOutputs } from '../model/ports';
import { toIdentifier } from '../model/template';
import type { NotebookInterface, Point, Workflow } from '../model/types';
import { stepPath } from '../model/types';
import type { IFacts, Port } from '../model/wiring';
import {
  Pull,
  insert,
  isUnconnected,
  join,
  nameOf,
  portId
} from '../model/wiring';
import type { Editor } from './editor';
import { sayMisfit } from './ports';
import type { WorkspaceFiles } from './workspaceFiles';

/** Half of a header: a node that is dropped is held there. */
const GRIP = 18;
const COLUMN = 320;

/** The list of what a wire can be connected with. */
export interface IConnectMenu {
  /** The ports that it can begin at. */
  pulls: readonly Pull[];
  /** The only step that it may end at, if that is settled. */
  step?: string;
  /** Where the list stands, in pixels of the canvas. */
  at: Point;
  /** Where a new step goes. */
  place: Point;
}

/** Drawing of wires on one canvas: the one that is pulled, the list of what fits, the edge that a step is held over. */
export class Wiring {
  constructor(
    readonly editor: Editor,
    readonly files: WorkspaceFiles,
    private readonly _node: HTMLElement
  ) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get pull(): Pull | null {
    return this._pull;
  }

  get menu(): IConnectMenu | null {
    return this._menu;
  }

  /** Id of the edge into which a step would be dropped. */
  get over(): string | null {
    return this._over;
  }
  set over(id: string | null) {
    if (id !== this._over) {
      this._over = id;
      this._changed.emit();
    }
  }

  start(port: Port): void {
    this._pull = new Pull(this.facts(), port);
    this._changed.emit();
  }

  /** Whether a wire may lead from one port to another. */
  canConnect(from: Port, to: Port): boolean {
    const pull =
      this._pull && portId(this._pull.port) === portId(from)
        ? this._pull
        : new Pull(this.facts(), from);
    return pull.complain(to) === null;
  }

  connect(one: Port, other: Port): void {
    this.editor.edit(old => join(old, one, other));
  }

  /**
   * The wire was let go somewhere that is no port that fits.
   *
   * @param refused - the port that did not fit, if there is one.
   * @param place - where that is on the canvas.
   */
  drop(pointer: Point, refused: Port | null, place: Point): void {
    const pull = this._pull;
    this.cancel();
    if (!pull) {
      return;
    }
    if (refused) {
      const misfit = pull.complain(refused);
      if (misfit && portId(refused) !== portId(pull.port)) {
        this._say(sayMisfit(misfit, this.editor.trans));
      }
      return;
    }
    const target = document.elementFromPoint(pointer.x, pointer.y);
    const step = target?.closest<HTMLElement>('.react-flow__node')?.dataset.id;
    if (step === pull.port.step) {
      return;
    }
    if (step !== undefined) {
      this._dropOnStep(pull, step, pointer, place);
    } else if (target?.closest('.react-flow__pane, .react-flow__edge')) {
      this._open({ pulls: [pull], at: this._onCanvas(pointer), place });
    }
  }

  /** List what a step can be connected with. */
  connectStep(step: string, at: Point, position: Point): void {
    const facts = this.facts();
    const outputs = facts.ports(step)?.outputs ?? [];
    const pulls = [...outputs, null].map(
      output => new Pull(facts, { side: 'source', step, output })
    );
    const place = { x: position.x + COLUMN, y: position.y + GRIP };
    this._open({ pulls, at, place });
  }

  /** How large the canvas is. */
  get room(): { width: number; height: number } {
    return this._node.getBoundingClientRect();
  }

  /** The wire that was pulled is gone. */
  cancel(): void {
    this._pull = null;
    this._changed.emit();
  }

  close(): void {
    if (this._menu) {
      this._menu = null;
      this._changed.emit();
      this._node.focus();
    }
  }

  /** Add a step for a file, connected. */
  addConnected(path: string, own: Port, other: Port, place: Point): void {
    let name = '';
    const isTarget = other.side === 'target';
    const at = {
      x: place.x - (isTarget ? 0 : NODE_WIDTH),
      y: place.y - GRIP
    };
    this.editor.edit(old => {
      const { step, wish } = fileStep(this.files.toDocumentPath(path));
      const added = addStep(old, step, wish, at);
      name = added.name;
      return join(added.document, own, { ...other, step: name });
    });
    this.editor.select({ steps: [name] });
    this._node.focus();
  }

  /** Ask for the name of a new notebook, write it, and add a step for it that is connected. */
  async addNewNotebook(pull: Pull, place: Point): Promise<void> {
    const { trans } = this.editor;
    const { port, type } = pull;
    const answer = await InputDialog.getText({
      title: trans.__('New notebook'),
      label: trans.__('Name'),
      text: nameOf(port) === null ? 'step' : `step_${nameOf(port)}`,
      okLabel: trans.__('Create')
    });
    const stem = PathExt.basename(answer.value?.trim() ?? '', '.ipynb');
    if (!stem) {
      this._node.focus();
      return;
    }
    const path = PathExt.join(this.files.folder, `${stem}.ipynb`);
    if (await this.files.has(path)) {
      this._say(trans.__('‘%1’ exists already: choose another name.', path));
      return;
    }
    const wanted = nameOf(port);
    const name = wanted === null ? null : toIdentifier(wanted);
    const isSource = port.side === 'source';
    try {
      await this.files.create(path, {
        input: isSource && name !== null ? { name, type } : undefined,
        output: isSource ? 'result' : (wanted ?? 'result')
      });
    } catch (reason) {
      const why = reason instanceof Error ? reason.message : String(reason);
      this._say(trans.__('‘%1’ could not be written: %2', path, why));
      return;
    }
    const other: Port = isSource
      ? { side: 'target', step: '', input: name }
      : {
          side: 'source',
          step: '',
          output: wanted === null ? null : { kind: 'outputs', name: wanted }
        };
    this.addConnected(path, port, other, place);
  }

  /** The edge that lies under one of these points of the screen. */
  edgeAt(...points: Point[]): string | null {
    for (const { x, y } of points) {
      for (const element of document.elementsFromPoint(x, y)) {
        const edge = element.closest<SVGElement>('.react-flow__edge');
        if (edge && this._node.contains(edge)) {
          return edge.dataset.id ?? null;
        }
      }
    }
    return null;
  }

  /** Whether a step may be dropped into an edge. */
  canInsert(step: string): boolean {
    const { workflow } = this.editor;
    return workflow !== null && isUnconnected(workflow, step);
  }

  /** Move a step, and put it into the edge that it is held over. */
  insertMoved(step: string, to: Point): void {
    const id = this._over;
    this.over = null;
    this.editor.edit(old => {
      const moved = move(old, { [step]: to });
      return id === null ? moved : this.inserted(moved, id, step);
    });
  }

  /** A document with a step put into an edge; says so if no value can pass through it. */
  inserted(
    workflow: Workflow,
    id: string,
    step: string,
    read?: NotebookInterface
  ): Workflow {
    const edge = edges(workflow).find(each => edgeId(each) === id);
    if (!edge) {
      return workflow;
    }
    const facts = this.facts(workflow, read && { step, read });
    const result = insert(facts, edge, step);
    if (!result.passes) {
      this._say(this._sayOrder(edge, step));
    }
    return result.document;
  }

  /** What the document, its notebooks and the run that is shown say about ports. */
  facts(
    workflow: Workflow = this.editor.workflow ?? { name: '' },
    extra?: { step: string; read: NotebookInterface }
  ): IFacts {
    const { inspection, runs } = this.editor;
    const taken = takenOutputs(workflow);
    const known = new Map<string, IPorts>();
    const make = (step: string) => {
      const found = workflow.steps?.[step];
      const read =
        extra?.step === step
          ? extra.read
          : inspection.notebook(found ? stepPath(found) : '');
      return portsOf(workflow, step, read, taken.get(step) ?? []);
    };
    return {
      workflow,
      ports: step => {
        if (!Object.hasOwn(workflow.steps ?? {}, step)) {
          return undefined;
        }
        const ports = known.get(step) ?? make(step);
        known.set(step, ports);
        return ports;
      },
      recorded: (step, output) => {
        const outputs = runs.step(step)?.outputs ?? {};
        return Object.hasOwn(outputs, output) ? outputs[output] : undefined;
      }
    };
  }

  private _dropOnStep(
    pull: Pull,
    step: string,
    pointer: Point,
    place: Point
  ): void {
    const { trans } = this.editor;
    if (pull.isBlocked(step)) {
      this._say(sayMisfit({ code: 'cycle' }, trans));
      return;
    }
    const port = pull.obvious(step);
    if (port) {
      this.connect(pull.port, port);
    } else if (pull.fitting(step).length) {
      const at = this._onCanvas(pointer);
      this._open({ pulls: [pull], step, at, place });
    } else {
      const name = nameOf(pull.port) ?? pull.port.step;
      this._say(trans.__('‘%1’ has nothing that fits ‘%2’.', step, name));
    }
  }

  private _open(menu: IConnectMenu): void {
    this._menu = menu;
    this._changed.emit();
  }

  private _onCanvas({ x, y }: Point): Point {
    const { left, top } = this._node.getBoundingClientRect();
    return { x: x - left, y: y - top };
  }

  private _sayOrder(edge: Edge, step: string): string {
    return this.editor.trans.__(
      '‘%1’ runs between the two, but nothing of it fits both: the value still comes to ‘%2’ as it did where nothing fits.',
      step,
      edge.target
    );
  }

  private _say(message: string): void {
    Notification.warning(message, { autoClose: 6000 });
  }

  private readonly _changed = new Signal<this, void>(this);
  private _pull: Pull | null = null;
  private _menu: IConnectMenu | null = null;
  private _over: string | null = null;
}
