import type { IPorts } from '../model/ports';
import { describeArgument, portsOf, takenOutputs } from '../model/ports';
import type { IRow } from '../model/geometry';
import { nodeHeight, rowsOf } from '../model/geometry';
import type {
  NotebookInterface,
  Problem,
  Step,
  StepKind,
  Workflow
} from '../model/types';
import { stepKind, stepPath } from '../model/types';
import type { Stale, StepRecord } from '../api/types';
import { formatNumber } from '../runs/format';
import type { RunsModel } from '../runs/session';
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
  /** Under which condition it runs. */
  when: string | null;
  loop: ILoop | null;
  /** What a person is asked, or what is to be labelled. */
  message: string | null;
  /** Who is asked; null if that is everybody, or nobody. */
  role: string | null;
  /** Names of the checks, and whether they passed in the run that is shown. */
  checks: { name: string; passed: boolean | null; text: string }[];
  stale: Stale | undefined;
  lines: NodeLine[];
  height: number;
}

/** What a step is repeated over, and how far that is in the run that is shown. */
export interface ILoop {
  over: string;
  done: number;
  total: number | null;
}

/** A line of a node, below its ports. */
export type NodeLine =
  | 'message'
  | 'loop'
  | 'when'
  | 'stale'
  | 'progress'
  | 'metrics'
  | 'checks'
  | 'failure';

/** Lines that a node has, in their order. */
export function linesOf(view: Omit<IStepView, 'height' | 'lines'>): NodeLine[] {
  const { run, loop, stale } = view;
  const lines: [NodeLine, boolean][] = [
    ['message', view.message !== null],
    ['loop', loop !== null],
    ['when', view.when !== null],
    ['stale', stale?.kind === 'changed'],
    ['progress', run?.state === 'running' && run.progress !== null],
    ['metrics', run !== undefined && Object.keys(run.metrics).length > 0],
    ['checks', view.checks.length > 0],
    ['failure', run !== undefined && run.message !== null]
  ];
  return lines.filter(([, shown]) => shown).map(([line]) => line);
}

/** Makes the views of a workflow's steps; a view that would show the same is the same object as before. */
export class StepViews {
  constructor(private readonly _editor: Editor) {}

  update(workflow: Workflow): ReadonlyMap<string, IStepView> {
    const { inspection, runs, staleness } = this._editor;
    const basis = [workflow, inspection.answer, runs.current, staleness.steps];
    if (basis.some((part, index) => part !== this._basis[index])) {
      this._basis = basis;
      this._views = this._make(workflow);
    }
    return this._views;
  }

  private _make(workflow: Workflow): ReadonlyMap<string, IStepView> {
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
      const bare = {
        name,
        title: step.title || name,
        spoken: step.muted
          ? trans.__('%1, muted', step.title || name)
          : step.title || name,
        kind: stepKind(step) ?? ('notebook' as const),
        path: stepPath(step),
        ports,
        rows,
        problems: problems.get(name) ?? [],
        isMuted: step.muted === true,
        run,
        when: step.when || null,
        loop: loopOf(step, name, this._editor.runs),
        message: step.person?.message ?? null,
        role: step.person?.role ?? step.label?.role ?? null,
        checks: checksOf(read, run),
        stale: this._editor.staleness.of(name)
      };
      const lines = linesOf(bare);
      const height = nodeHeight(rows.length, lines.length);
      const view: IStepView = { ...bare, lines, height };
      const text = JSON.stringify(view);
      const old = this._texts.get(name) === text && this._views.get(name);
      views.set(name, old || view);
      texts.set(name, text);
    }
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

  private _basis: readonly unknown[] = [];
  private _views: ReadonlyMap<string, IStepView> = new Map();
  private _texts: ReadonlyMap<string, string> = new Map();
}

function loopOf(step: Step, name: string, runs: RunsModel): ILoop | null {
  if (step.foreach == null) {
    return null;
  }
  const total = runs.step(name)?.turns ?? null;
  let done = 0;
  for (let turn = 0; turn < (total ?? 0); turn++) {
    const state = runs.step(`${name}.${turn}`)?.state;
    if (state !== undefined && ENDED.has(state)) {
      done++;
    }
  }
  return { over: describeArgument(step.foreach), done, total };
}

const ENDED: ReadonlySet<StepRecord['state']> = new Set([
  'succeeded',
  'cached',
  'skipped',
  'failed',
  'stopped'
] as const);

/** Checks of the run that is shown, or else those that the notebook makes. */
function checksOf(
  read: NotebookInterface | undefined,
  run: StepRecord | undefined
): IStepView['checks'] {
  const made = Object.entries(run?.checks ?? {});
  if (!made.length) {
    return (read?.checks ?? []).map(name => ({
      name,
      passed: null,
      text: name
    }));
  }
  return made.map(([name, { value, min, max, passed }]) => {
    const shown =
      typeof value === 'number' ? formatNumber(value) : JSON.stringify(value);
    const bounds = [
      min === null ? '' : ` ≥ ${formatNumber(min)}`,
      max === null ? '' : ` ≤ ${formatNumber(max)}`
    ];
    return { name, passed, text: `${name} ${shown}${bounds.join('')}` };
  });
}
