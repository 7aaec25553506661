/** What the inputs, the loop and the condition of a step can take and name. */
import type { IStepNames } from '../cel/completion';
import { variablesOf } from '../cel/scope';
import { descendants } from '../model/graph';
import { portsOf, takenOutputs } from '../model/ports';
import type { Argument, Step, Workflow } from '../model/types';
import { stepPath } from '../model/types';
import type { ISourceGroup } from './argumentField';
import type { Editor } from './editor';
import type { IExpressionScope } from './expressionField';

export interface IStepScope {
  /** The step and all that waits for it: it can take nothing of these. */
  waiting: ReadonlySet<string>;
  /** Sources of its inputs. */
  groups: ISourceGroup[];
  /** What expressions in its inputs see. */
  inputs: IExpressionScope;
  /** Sources of what it loops over, and what expressions see before a loop. */
  outer: { groups: ISourceGroup[]; scope: IExpressionScope };
}

export function scopeOfStep(
  editor: Editor,
  workflow: Workflow,
  name: string
): IStepScope {
  const { trans } = editor;
  const step: Step = workflow.steps![name];
  const isLoop = step.foreach != null;
  const waiting = descendants(workflow, name);
  const steps = namesOfSteps(editor, workflow, waiting);
  const groups = sourceGroups(editor, workflow, steps);
  const outer = scope(editor, workflow, steps, null);
  const ofLoop: ISourceGroup = {
    label: trans.__('The turn of the loop'),
    sources: ['item', 'index'].map(path => ({
      label: path,
      source: { kind: 'item', path }
    }))
  };
  return {
    waiting,
    groups: isLoop ? [ofLoop, ...groups] : groups,
    inputs: isLoop ? scope(editor, workflow, steps, step.foreach) : outer,
    outer: { groups, scope: outer }
  };
}

function scope(
  editor: Editor,
  workflow: Workflow,
  steps: IStepNames[],
  foreach: Argument | null | undefined
): IExpressionScope {
  const run = editor.runs.current;
  return {
    names: {
      params: Object.entries(workflow.parameters ?? {})
        .filter(([, { type }]) => type !== 'secret')
        .map(([name, { type }]) => ({ name, type })),
      steps,
      isLoop: foreach != null
    },
    run: run && {
      number: run.number,
      variables: variablesOf(run, editor.runs.workflow ?? workflow, foreach)
    }
  };
}

/** What the steps record that do not wait: as their notebooks say, and as it was in the run that is shown. */
function namesOfSteps(
  editor: Editor,
  workflow: Workflow,
  waiting: ReadonlySet<string>
): IStepNames[] {
  const taken = takenOutputs(workflow);
  return Object.entries(workflow.steps ?? {})
    .filter(([name]) => !waiting.has(name))
    .map(([name, step]) => {
      const read = editor.inspection.notebook(stepPath(step));
      const { outputs } = portsOf(workflow, name, read, taken.get(name) ?? []);
      const done = editor.runs.step(name);
      const all = (kind: 'outputs' | 'artifacts') => [
        ...outputs.filter(port => port.kind === kind).map(port => port.name),
        ...Object.keys(done?.[kind] ?? {})
      ];
      return {
        name,
        outputs: [...new Set(all('outputs'))],
        artifacts: [...new Set(all('artifacts'))],
        metrics: union(read?.metrics, done?.metrics),
        checks: union(read?.checks, done?.checks)
      };
    });
}

function union(read: string[] | undefined, done: object | undefined): string[] {
  return [...new Set([...(read ?? []), ...Object.keys(done ?? {})])];
}

/** What all of a workflow can give a value. */
export function allSources(editor: Editor, workflow: Workflow): ISourceGroup[] {
  return sourceGroups(
    editor,
    workflow,
    namesOfSteps(editor, workflow, new Set())
  );
}

function sourceGroups(
  editor: Editor,
  workflow: Workflow,
  steps: IStepNames[]
): ISourceGroup[] {
  const parameters: ISourceGroup = {
    label: editor.trans.__('Parameters of the workflow'),
    sources: Object.keys(workflow.parameters ?? {}).map(name => ({
      label: `params.${name}`,
      source: { kind: 'params', name }
    }))
  };
  const ofSteps = steps.map(({ name, outputs, artifacts }): ISourceGroup => ({
    label: workflow.steps?.[name]?.title || name,
    sources: [
      ...outputs.map(output => ({
        label: output,
        source: { kind: 'outputs' as const, step: name, name: output }
      })),
      ...artifacts.map(artifact => ({
        label: artifact,
        source: { kind: 'artifacts' as const, step: name, name: artifact }
      }))
    ]
  }));
  return [parameters, ...ofSteps].filter(group => group.sources.length > 0);
}
