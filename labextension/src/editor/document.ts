import type { DocumentChange } from '@jupyter/ydoc';
import { YDocument } from '@jupyter/ydoc';
import type { JSONValue } from '@lumino/coreutils';
import type * as Y from 'yjs';
import type { Reading } from '../model/codec';
import { parse, write } from '../model/codec';
import type { Entry } from '../model/entries';
import {
  difference,
  fromEntries,
  textEntries,
  textOf,
  toEntries
} from '../model/entries';
import { checkShape } from '../model/shape';
import type { Workflow } from '../model/types';

export type WorkflowChange = DocumentChange & {
  /** The document or the text has changed. */
  contentChange?: true;
};

/** A workflow that several people can edit at once: their edits merge field by field. */
export class YWorkflow extends YDocument<WorkflowChange> {
  constructor(options?: YDocument.IOptions) {
    super(options);
    this._entries = this.ydoc.getMap('workflow');
    this.undoManager.addToScope([this._entries]);
    this._entries.observe(this._onChanged);
  }

  readonly version = '1.0.0';

  /** The document, or why it cannot be edited. */
  get reading(): Reading {
    return (this._reading ??= this._read());
  }

  /** The document, if it can be edited. */
  get workflow(): Workflow | null {
    return this.reading.document;
  }

  /**
   * Change the document. Does nothing if it cannot be edited.
   *
   * @param change - makes another document of the one it is given.
   * @param gesture - edits of the same gesture that follow one another at once are undone together;
   * without it, this edit is undone on its own.
   */
  edit(change: (workflow: Workflow) => Workflow, gesture?: string): void {
    const { document } = this.reading;
    if (!document) {
      return;
    }
    if (!gesture || gesture !== this._gesture) {
      this.undoManager.stopCapturing();
    }
    this._gesture = gesture;
    const old = this._table;
    this._update(old, toEntries(change(document), old), true);
  }

  getSource(): string {
    const { document } = this.reading;
    if (document) {
      return write(document);
    }
    const table = this._table;
    return textOf(table) ?? write(fromEntries(table) as unknown as Workflow);
  }

  setSource(value: JSONValue): void {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const { document } = parse(text);
    const wanted = document ? toEntries(document) : textEntries(text);
    this._update(this._table, wanted, false);
  }

  dispose(): void {
    this._entries.unobserve(this._onChanged);
    super.dispose();
  }

  private _update(
    old: ReadonlyMap<string, Entry>,
    wanted: ReadonlyMap<string, Entry>,
    undoable: boolean
  ): void {
    const { set, remove } = difference(old, wanted);
    if (!set.size && !remove.length) {
      return;
    }
    this.transact(() => {
      remove.forEach(key => this._entries.delete(key));
      set.forEach((entry, key) => this._entries.set(key, entry));
    }, undoable);
  }

  private _read(): Reading {
    const text = textOf(this._table);
    if (text !== null) {
      return parse(text);
    }
    const data = fromEntries(this._table);
    const problems = checkShape(data);
    return problems.length
      ? { document: null, problems }
      : { document: data as unknown as Workflow, problems: null };
  }

  private get _table(): ReadonlyMap<string, Entry> {
    return new Map(this._entries.entries());
  }

  private readonly _onChanged = () => {
    this._reading = null;
    this._changed.emit({ contentChange: true });
  };

  private readonly _entries: Y.Map<Entry>;
  private _reading: Reading | null = null;
  private _gesture: string | undefined;
}
