import type { IPorts } from '../model/ports';
import { portsOf, takenOutputs } from '../model/ports';
import type { IRow } from '../model/geometry';
import { nodeHeight, rowsOf } from '../model/geometry';
import type { Problem, StepKind, Workflow } from '../model/types';
import { stepKind, stepPath } from '../model/types';
import type { StepRecord } from '../api/types';
import type { Editor } from './editor';

/** All that the node of a step shows. */
export interface IStepView {
  name: string;
  title: string;
  /** What a screen reader says of the node. */
  spoken: string;
  kind: StepKind;
  /** What it executes; empty if it executes nothing. */
  path: string;
  ports: IPorts;
  rows: IRow[];
  problems: Problem[];
  isMuted: boolean;
  run: StepRecord | undefined;
  height: number;
}

/** Which rows about a run a node has. */
export function runRows(run: StepRecord | undefined): {
  progress: boolean;
  metrics: boolean;
  message: boolean;
} {
  return {
    progress: run?.state === 'running' && run.progress !== null,
    metrics: run !== undefined && Object.keys(run.metrics).length > 0,
    message: run !== undefined && run.message !== null
  };
}

/** Makes the views of a workflow's steps; a view that would show the same is the same object as before. */
export class StepViews {
  constructor(private readonly _editor: Editor) {}

  update(workflow: Workflow): ReadonlyMap<string, IStepView> {
    const { trans } = this._editor;
    const taken = takenOutputs(workflow);
    const problems = this._problemsByStep();
    const views = new Map<string, IStepView>();
    const texts = new Map<string, string>();
    for (const [name, step] of Object.entries(workflow.steps ?? {})) {
      const read = this._editor.inspection.notebook(stepPath(step));
      const ports = portsOf(workflow, name, read, taken.get(name) ?? []);
      const rows = rowsOf(ports);
      const run = this._editor.runs.step(name);
      const extra = Object.values(runRows(run)).filter(shown => shown).length;
      const view: IStepView = {
        name,
        title: step.title || name,
        spoken: step.muted
          ? trans.__('%1, muted', step.title || name)
          : step.title || name,
        kind: stepKind(step) ?? 'notebook',
        path: stepPath(step),
        ports,
        rows,
        problems: problems.get(name) ?? [],
        isMuted: step.muted === true,
        run,
        height: nodeHeight(rows.length, extra)
      };
      const text = JSON.stringify(view);
      const old = this._texts.get(name) === text && this._views.get(name);
      views.set(name, old || view);
      texts.set(name, text);
    }
    this._views = views;
    this._texts = texts;
    return views;
  }

  private _problemsByStep(): Map<string, Problem[]> {
    const found = new Map<string, Problem[]>();
    for (const problem of this._editor.inspection.problems) {
      const [area, name] = problem.place.split('.');
      if (area === 'steps' && name) {
        found.set(name, [...(found.get(name) ?? []), problem]);
      }
    }
    return found;
  }

  private _views: ReadonlyMap<string, IStepView> = new Map();
  private _texts: ReadonlyMap<string, string> = new Map();
}
