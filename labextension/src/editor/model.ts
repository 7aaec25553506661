import type { IChangedArgs } from '@jupyterlab/coreutils';
import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { Contents } from '@jupyterlab/services';
import type { PartialJSONValue } from '@lumino/coreutils';
import type { ISignal } from '@lumino/signaling';
import { Signal } from '@lumino/signaling';
import type { WorkflowChange } from './document';
import { YWorkflow } from './document';

export const MODEL_NAME = 'mlwf-model';

/** Name of the kind of content, by which jupyter-collaboration finds `YWorkflow` on both sides. */
export const SHARED_TYPE = 'mlwf';

/** Lab's model of a workflow document, over the shared one. */
export class WorkflowModel implements DocumentRegistry.IModel {
  constructor(options: DocumentRegistry.IModelOptions<YWorkflow> = {}) {
    this.sharedModel = options.sharedModel ?? new YWorkflow();
    this.collaborative = options.collaborationEnabled === true;
    this.sharedModel.changed.connect(this._onChanged, this);
  }

  readonly sharedModel: YWorkflow;
  readonly collaborative: boolean;
  readonly defaultKernelName = '';
  readonly defaultKernelLanguage = '';

  get dirty(): boolean {
    return this._dirty;
  }
  set dirty(newValue: boolean) {
    const oldValue = this._dirty;
    if (oldValue !== newValue) {
      this._dirty = newValue;
      this._stateChanged.emit({ name: 'dirty', oldValue, newValue });
    }
  }

  get readOnly(): boolean {
    return this._readOnly;
  }
  set readOnly(newValue: boolean) {
    const oldValue = this._readOnly;
    if (oldValue !== newValue) {
      this._readOnly = newValue;
      this._stateChanged.emit({ name: 'readOnly', oldValue, newValue });
    }
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get contentChanged(): ISignal<this, void> {
    return this._contentChanged;
  }

  get stateChanged(): ISignal<this, IChangedArgs<boolean>> {
    return this._stateChanged;
  }

  toString(): string {
    return this.sharedModel.getSource();
  }

  fromString(value: string): void {
    this.sharedModel.setSource(value);
    this.dirty = false;
  }

  toJSON(): PartialJSONValue {
    return this.toString();
  }

  fromJSON(value: PartialJSONValue): void {
    this.fromString(typeof value === 'string' ? value : JSON.stringify(value));
  }

  initialize(): void {
    this.sharedModel.clearUndoHistory();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this.sharedModel.dispose();
    Signal.clearData(this);
  }

  private _onChanged(_: YWorkflow, change: WorkflowChange): void {
    if (change.contentChange) {
      this._contentChanged.emit();
      if (!this.collaborative) {
        this.dirty = true;
      }
    }
    // jupyter-collaboration says through the shared state whether the file is up to date.
    for (const state of change.stateChange ?? []) {
      if (state.name === 'dirty') {
        this.dirty = state.newValue as boolean;
      }
    }
  }

  private _dirty = false;
  private _readOnly = false;
  private _isDisposed = false;
  private readonly _contentChanged = new Signal<this, void>(this);
  private readonly _stateChanged = new Signal<this, IChangedArgs<boolean>>(
    this
  );
}

/** Makes models of workflow documents. */
export class WorkflowModelFactory implements DocumentRegistry.IModelFactory<WorkflowModel> {
  /**
   * @param isShared - whether jupyter-collaboration serves the documents. Without it they are files like
   * any other: the server knows no other kinds of content.
   */
  constructor(isShared: boolean) {
    this.contentType = (
      isShared ? SHARED_TYPE : 'file'
    ) as Contents.ContentType;
  }

  readonly name = MODEL_NAME;
  readonly contentType: Contents.ContentType;
  readonly fileFormat: Contents.FileFormat = 'text';
  readonly collaborative = true;

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
  }

  preferredLanguage(): string {
    return '';
  }

  createNew(options: DocumentRegistry.IModelOptions<YWorkflow>): WorkflowModel {
    return new WorkflowModel(options);
  }

  private _isDisposed = false;
}
