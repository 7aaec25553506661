import { createContext, useContext } from 'react';
import type { Editor } from './editor';

/** What nodes cause outside of the canvas. */
export interface ICanvasActions {
  /** Open the notebook of a step. */
  openNotebook: (step: string) => void;
  /** Open what the current run made of it. */
  openExecuted: (step: string) => void;
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
