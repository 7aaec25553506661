import type { IWidgetTracker } from '@jupyterlab/apputils';
import type { IDocumentWidget } from '@jupyterlab/docregistry';
import { Token } from '@lumino/coreutils';
import type { Widget } from '@lumino/widgets';
import type { WorkflowModel } from './editor/model';
import type { RunsModel } from './runs/session';

/** The drawing area of a workflow. */
export interface IWorkflowCanvas extends Widget {
  /** Select one step, and bring it into view. */
  selectStep(name: string): void;

  /** Names of the steps that are selected. */
  readonly selectedSteps: readonly string[];
}

/** Canvas, inspector and drawer of one workflow document. */
export interface IWorkflowPanel extends Widget {
  readonly canvas: IWorkflowCanvas;

  /** Runs of this document, and the one that the canvas shows. */
  readonly runs: RunsModel;
}

export type IWorkflowWidget = IDocumentWidget<IWorkflowPanel, WorkflowModel>;

export type IWorkflowTracker = IWidgetTracker<IWorkflowWidget>;

export const IWorkflowTracker = new Token<IWorkflowTracker>(
  'jupyter-mlwf:IWorkflowTracker',
  'A widget tracker for workflow documents.'
);
