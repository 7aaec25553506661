import { Notification } from '@jupyterlab/apputils';
import { addStep } from '../model/edits';
import { nodeHeight, rowsOf } from '../model/geometry';
import { fileStep } from '../model/kinds';
import type { IPlace } from '../model/placing';
import { column } from '../model/placing';
import { portsOf } from '../model/ports';
import type { NotebookInterface, Point } from '../model/types';
import type { Wiring } from './wiring';

/** Makes steps of files. */
export class Arrivals {
  constructor(private readonly _wiring: Wiring) {}

  /**
   * Add steps, one below the other.
   *
   * @param paths - relative to the workspace.
   * @returns names of the new steps.
   */
  async add(
    paths: readonly string[],
    where: { at: Point; taken: readonly IPlace[]; edge?: string }
  ): Promise<string[]> {
    const { editor, files } = this._wiring;
    const others = paths.filter(path => path !== files.documentPath);
    if (others.length < paths.length) {
      Notification.warning(
        editor.trans.__('A workflow cannot be a step of itself.'),
        { autoClose: 6000 }
      );
    }
    const own = others.map(path => files.toDocumentPath(path));
    const read = await this._read(own);
    const heights = own.map(path => {
      const ports = portsOf({ name: '' }, '', read.get(path), []);
      return nodeHeight(rowsOf(ports).length, 0);
    });
    const places = column(where.at, heights, where.taken);
    const added: string[] = [];
    editor.edit(workflow => {
      const all = own.reduce((result, path, index) => {
        const { step, wish } = fileStep(path);
        const one = addStep(result, step, wish, places[index]);
        added.push(one.name);
        return one.document;
      }, workflow);
      return where.edge !== undefined && added.length === 1
        ? this._wiring.inserted(all, where.edge, added[0], read.get(own[0]))
        : all;
    });
    return added;
  }

  /** What is known of files; nothing if the server cannot be asked, which the canvas says already. */
  private async _read(
    paths: readonly string[]
  ): Promise<ReadonlyMap<string, NotebookInterface>> {
    try {
      return await this._wiring.editor.inspection.read(paths);
    } catch {
      return new Map();
    }
  }
}
