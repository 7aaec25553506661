import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import { removeNotes } from '../model/frames';
import { disconnect, removeSteps, renameStep } from '../model/edits';
import { edgeId, edges } from '../model/graph';
import { complainName } from '../model/names';
import type { Problem, Workflow } from '../model/types';
import type { RunsModel } from '../runs/session';
import type { WorkflowChange, YWorkflow } from './document';
import type { Inspection } from './inspection';
import type { Staleness } from './staleness';

/** What is selected on the canvas. */
export interface ISelection {
  steps: readonly string[];
  edges: readonly string[];
  notes: readonly string[];
}

const NOTHING: ISelection = { steps: [], edges: [], notes: [] };

/** What canvas, inspector and toolbar of one workflow share: the document, what is known of it, the selection. */
export class Editor implements IDisposable {
  constructor(
    readonly document: YWorkflow,
    readonly inspection: Inspection,
    readonly runs: RunsModel,
    readonly staleness: Staleness,
    readonly trans: TranslationBundle,
    /** Do what needs more than this workflow. */
    readonly execute: (command: string, args: ReadonlyPartialJSONObject) => void
  ) {
    document.changed.connect(this._onDocument, this);
    inspection.changed.connect(this._emit, this);
    runs.changed.connect(this._emit, this);
    staleness.changed.connect(this._emit, this);
  }

  /** The document, what is known of it, its runs or the selection has changed. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get workflow(): Workflow | null {
    return this.document.workflow;
  }

  get selection(): ISelection {
    return this._selection;
  }

  /** Name of the step whose name is being changed on the canvas. */
  get renaming(): string | null {
    return this._renaming;
  }
  set renaming(name: string | null) {
    if (name !== this._renaming) {
      this._renaming = name;
      this._emit();
    }
  }

  /** Name of the note that is being written. */
  get writing(): string | null {
    return this._writing;
  }
  set writing(name: string | null) {
    if (name !== this._writing) {
      this._writing = name;
      this._emit();
    }
  }

  /** Whether something is looked for in the workflow. */
  get isSearching(): boolean {
    return this._isSearching;
  }
  set isSearching(searching: boolean) {
    if (searching !== this._isSearching) {
      this._isSearching = searching;
      this._emit();
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Select exactly these. */
  select(selection: Partial<ISelection>): void {
    const wanted = { ...NOTHING, ...selection };
    const { steps, edges: connections, notes } = wanted;
    if (
      !isSame(steps, this._selection.steps) ||
      !isSame(connections, this._selection.edges) ||
      !isSame(notes, this._selection.notes)
    ) {
      this._selection = wanted;
      this.runs.selectedStep = steps.length === 1 ? steps[0] : null;
      this._emit();
    }
  }

  /** Change the document; see `YWorkflow.edit`. */
  edit(change: (workflow: Workflow) => Workflow, gesture?: string): void {
    this.document.edit(change, gesture);
  }

  /** Remove what is selected. */
  deleteSelection(): void {
    const { steps, edges: ids, notes } = this._selection;
    const gone = new Set(ids);
    this.edit(workflow => {
      const cut = edges(workflow).filter(edge => gone.has(edgeId(edge)));
      const left = removeSteps(disconnect(workflow, cut), [...steps]);
      return notes.length ? removeNotes(left, notes) : left;
    });
  }

  /** Why a step cannot have that name, in words; null if it can. */
  complainRename(from: string, to: string): string | null {
    const others = Object.keys(this.workflow?.steps ?? {});
    return complainName(
      to,
      others.filter(name => name !== from)
    );
  }

  /** Rename a step, which must be possible. */
  rename(from: string, to: string): void {
    if (from === to) {
      return;
    }
    const steps = this._selection.steps.map(name =>
      name === from ? to : name
    );
    this.edit(workflow => renameStep(workflow, from, to));
    this.select({ steps });
  }

  /** Problems of a step, or with a field those at that place of it. */
  problemsOf(step: string, field?: string): Problem[] {
    const place = field ? `steps.${step}.${field}` : `steps.${step}`;
    return this.inspection.problems.filter(problem =>
      isAt(problem.place, place)
    );
  }

  dispose(): void {
    if (!this._isDisposed) {
      this._isDisposed = true;
      this.inspection.dispose();
      this.staleness.dispose();
      this.runs.dispose();
      Signal.clearData(this);
    }
  }

  private _onDocument(_: YWorkflow, change: WorkflowChange): void {
    if (!change.contentChange) {
      return;
    }
    const workflow = this.workflow;
    const steps = workflow?.steps ?? {};
    if (this._selection.steps.some(name => !Object.hasOwn(steps, name))) {
      this._selection = {
        ...this._selection,
        steps: this._selection.steps.filter(name => Object.hasOwn(steps, name))
      };
    }
    const notes = workflow?.notes ?? {};
    if (this._selection.notes.some(name => !Object.hasOwn(notes, name))) {
      this._selection = {
        ...this._selection,
        notes: this._selection.notes.filter(name => Object.hasOwn(notes, name))
      };
    }
    if (this._selection.edges.length) {
      const ids = new Set(workflow ? edges(workflow).map(edgeId) : []);
      this._selection = {
        ...this._selection,
        edges: this._selection.edges.filter(id => ids.has(id))
      };
    }
    this._emit();
  }

  private _emit(): void {
    this._changed.emit();
  }

  private readonly _changed = new Signal<this, void>(this);
  private _selection = NOTHING;
  private _renaming: string | null = null;
  private _writing: string | null = null;
  private _isSearching = false;
  private _isDisposed = false;
}

/** Whether a place in the document is another one, or inside of it. */
export function isAt(place: string, outer: string): boolean {
  return place === outer || place.startsWith(`${outer}.`);
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}
