import { createContext, useContext } from 'react';
import type { Editor } from './editor';

/** What nodes cause outside of the canvas. */
export interface ICanvasActions {
  /** Open the notebook of a step. */
  openNotebook: (step: string) => void;
  /** Open what the current run made of it. */
  openExecuted: (step: string) => void;
  /** Show Markdown that nobody vouches for. */
  renderMarkdown: (host: HTMLElement, source: string) => Promise<void>;
  /** The lines of a notebook, whose path is relative to the document; none if it cannot be read. */
  readNotebook: (path: string) => Promise<readonly string[]>;
  /** The folder of the document, relative to the workspace. */
  folder: () => string;
}

export interface ICanvasContext extends ICanvasActions {
  editor: Editor;
}

export const CanvasContext = createContext<ICanvasContext | null>(null);

export function useCanvas(): ICanvasContext {
  return useContext(CanvasContext)!;
}

/** Name of the step whose name is being changed. */
export const RenamingContext = createContext<string | null>(null);
