import type { INotebookContent } from '@jupyterlab/nbformat';
import type { Contents } from '@jupyterlab/services';

/** How much of one notebook is looked at. */
const MAX_LENGTH = 1_000_000;

/** What notebooks say, without their outputs; read when it is asked for, and again once they have changed. */
export class NotebookLines {
  constructor(private readonly _contents: Contents.IManager) {
    _contents.fileChanged.connect((_, { oldValue, newValue }) => {
      for (const file of [oldValue, newValue]) {
        if (file?.path) {
          this._known.delete(file.path);
        }
      }
    });
  }

  /** The lines of a notebook; none if it cannot be read. */
  read(path: string): Promise<readonly string[]> {
    let lines = this._known.get(path);
    if (!lines) {
      lines = this._read(path);
      this._known.set(path, lines);
    }
    return lines;
  }

  private async _read(path: string): Promise<readonly string[]> {
    try {
      const { content } = await this._contents.get(path, {
        type: 'notebook',
        content: true
      });
      const text = (content as INotebookContent).cells
        .map(({ source }) => (Array.isArray(source) ? source.join('') : source))
        .join('\n');
      return text.slice(0, MAX_LENGTH).split('\n');
    } catch {
      return []; // the inspection says what is wrong with it
    }
  }

  private readonly _known = new Map<string, Promise<readonly string[]>>();
}
