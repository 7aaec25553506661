import { PathExt } from '@jupyterlab/coreutils';
import type { Contents, ServiceManager } from '@jupyterlab/services';
import type { ITemplate } from '../model/template';
import { newNotebook } from '../model/template';
import type { JSONObject } from '../model/types';

/** So that a home directory with a million files does not end up in a menu. */
const MAX_FILES = 300;
const MAX_FOLDERS = 120;

const PASSED_OVER = new Set(['node_modules', '__pycache__']);

/** The files of the workspace as one workflow sees them. */
export class WorkspaceFiles {
  /**
   * @param _path - says where the document is now.
   */
  constructor(
    private readonly _services: ServiceManager.IManager,
    private readonly _path: () => string
  ) {}

  /** Where the document is, relative to the workspace. */
  get documentPath(): string {
    return this._path();
  }

  get folder(): string {
    return PathExt.dirname(this._path());
  }

  /** A path of the workspace, made relative to the document. */
  toDocumentPath(path: string): string {
    return PathExt.relative(this.folder, path);
  }

  /**
   * Notebooks and workflows, those beside the document first; a page for each depth of folders.
   */
  async *list(): AsyncGenerator<{ paths: string[]; isCut: boolean }> {
    const seen = new Set<string>();
    let found = 0;
    for (const start of [this.folder, '']) {
      let level = [start];
      while (level.length) {
        const fresh = level.filter(folder => !seen.has(folder));
        const open = fresh.slice(0, MAX_FOLDERS - seen.size);
        open.forEach(folder => seen.add(folder));
        const items = (await Promise.all(open.map(f => this._read(f)))).flat();
        const paths = items
          .filter(item => item.type !== 'directory' && canBeStep(item.path))
          .map(item => item.path)
          .filter(path => path !== this.documentPath)
          .sort((a, b) => a.localeCompare(b));
        const room = MAX_FILES - found;
        found += paths.length;
        const isCut = paths.length > room || open.length < fresh.length;
        yield { paths: paths.slice(0, room), isCut };
        if (isCut) {
          return;
        }
        level = items
          .filter(item => item.type === 'directory' && !isHidden(item.name))
          .map(item => item.path);
      }
    }
  }

  /** Whether there is a file at a path of the workspace. */
  async has(path: string): Promise<boolean> {
    const items = await this._read(PathExt.dirname(path));
    return items.some(item => item.path === path);
  }

  /** Write a new notebook beside the document. */
  async create(
    path: string,
    template: Omit<ITemplate, 'kernel'>
  ): Promise<void> {
    const content = newNotebook({ ...template, kernel: this._pythonKernel() });
    await this._services.contents.save(path, {
      type: 'notebook',
      format: 'json',
      content: content as JSONObject
    });
  }

  private _pythonKernel(): ITemplate['kernel'] {
    const specs = this._services.kernelspecs.specs;
    const all = Object.values(specs?.kernelspecs ?? {});
    const python = all.filter(spec => spec?.language === 'python');
    const chosen = python.find(spec => spec?.name === specs?.default);
    const spec = chosen ?? python[0];
    const name = spec?.name ?? 'python3';
    return { name, title: spec?.display_name ?? name };
  }

  /** What is in a folder; nothing if it cannot be read. */
  private async _read(folder: string): Promise<Contents.IModel[]> {
    try {
      const model = await this._services.contents.get(folder);
      return model.type === 'directory' ? model.content : [];
    } catch {
      return [];
    }
  }
}

/** Whether a file can be a step: a notebook or a workflow. */
export function canBeStep(path: string): boolean {
  return /\.(ipynb|mlwf)$/i.test(path);
}

function isHidden(name: string): boolean {
  return name.startsWith('.') || PASSED_OVER.has(name);
}
