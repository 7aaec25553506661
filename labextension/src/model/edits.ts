/** Edits of a document. Each takes a document and returns another; what has not changed is shared. */
import type { Edge, IStepSource, Source } from './graph';
import { formatReference, stepSources } from './graph';
import type { Items } from './items';
import { omit, renameKey } from './items';
import { freshName, toName } from './names';
import type {
  Argument,
  Group,
  Parameter,
  Point,
  Step,
  Workflow
} from './types';
import { renaming, rewritten } from './rewrite';
import { isFirst, isReference } from './types';

/** Add a step under a fresh name like the one that is wished for. */
export function addStep(
  document: Workflow,
  step: Step,
  wish: string,
  at: Point
): { document: Workflow; name: string } {
  const name = freshName(
    toName(wish, 'step'),
    Object.keys(document.steps ?? {})
  );
  const added = { ...document, steps: { ...document.steps, [name]: step } };
  return { document: move(added, { [name]: at }), name };
}

/** Rename a step, and with it every reference to it. Its place in the order of steps stays. */
export function renameStep(
  document: Workflow,
  from: string,
  to: string
): Workflow {
  const renamed = {
    ...document,
    steps: renameKey(document.steps ?? {}, from, to)
  };
  if (document.layout) {
    renamed.layout = renameKey(document.layout, from, to);
  }
  if (document.scenes) {
    renamed.scenes = mapScenes(document.scenes, names =>
      names.map(name => (name === from ? to : name))
    );
  }
  if (document.groups) {
    renamed.groups = mapGroups(document.groups, names =>
      names.map(name => (name === from ? to : name))
    );
  }
  return rewritten(renamed, renaming('steps', new Map([[from, to]])));
}

/** Remove steps, and with them what connects them to others. */
export function removeSteps(document: Workflow, names: string[]): Workflow {
  const gone = new Set(names);
  const left = { ...document, steps: omit(document.steps ?? {}, gone) };
  if (document.layout) {
    left.layout = omit(document.layout, gone);
  }
  if (document.scenes) {
    left.scenes = mapScenes(document.scenes, scene =>
      scene.filter(name => !gone.has(name))
    );
  }
  if (document.groups) {
    const groups = mapGroups(document.groups, group =>
      group.filter(name => !gone.has(name))
    );
    left.groups = Object.fromEntries(
      Object.entries(groups).filter(([, group]) => group.steps?.length)
    );
  }
  return mapSteps(left, step => {
    const cut = stepSources(step).filter(({ source }) => gone.has(source.step));
    let changed = cut.reduce(
      (result, { input, source }) =>
        withArgument(
          result,
          input,
          withoutSource(result.parameters?.[input], source)
        ),
      step
    );
    if (step.after?.some(name => gone.has(name))) {
      changed = withAfter(
        changed,
        step.after.filter(name => !gone.has(name))
      );
    }
    return changed;
  });
}

/** Let an input take its value from another step, instead of what it had. */
export function connect(
  document: Workflow,
  source: Source,
  target: string,
  input: string
): Workflow {
  return setArgument(document, target, input, {
    from: formatReference(source)
  });
}

/** Let a step wait for another, though no value passes. */
export function connectOrder(
  document: Workflow,
  source: string,
  target: string
): Workflow {
  const after = document.steps?.[target]?.after ?? [];
  return after.includes(source)
    ? document
    : setAfter(document, target, [...after, source]);
}

export function disconnect(document: Workflow, cut: Edge[]): Workflow {
  return cut.reduce((result, edge) => {
    if (edge.kind === 'use') {
      return result; // what it says otherwise is not known
    }
    if (edge.kind === 'data') {
      const old = result.steps?.[edge.target]?.parameters?.[edge.input];
      const left = withoutSource(old, edge.source);
      return setArgument(result, edge.target, edge.input, left);
    }
    const after = result.steps?.[edge.target]?.after ?? [];
    return setAfter(
      result,
      edge.target,
      after.filter(name => name !== edge.source)
    );
  }, document);
}

/** Give an input a value or a source; `undefined` lets the notebook's own default apply. */
export function setArgument(
  document: Workflow,
  step: string,
  input: string,
  argument: Argument | undefined
): Workflow {
  return mapStep(document, step, old => withArgument(old, input, argument));
}

export function setAfter(
  document: Workflow,
  step: string,
  after: string[]
): Workflow {
  return mapStep(document, step, old => withAfter(old, after));
}

/** Change a step's own fields; an empty text or undefined removes a field. */
export function setStep(
  document: Workflow,
  name: string,
  fields: Partial<Omit<Step, 'parameters' | 'after'>>
): Workflow {
  return mapStep(document, name, old => patched(old, fields));
}

/** Leave steps out of runs, or take them in again. */
export function mute(
  document: Workflow,
  names: readonly string[],
  isMuted: boolean
): Workflow {
  const muted = isMuted || undefined;
  return names.reduce(
    (result, name) => setStep(result, name, { muted }),
    document
  );
}

/** Change the workflow's own fields; an empty text or undefined removes a field. */
export function setWorkflow(
  document: Workflow,
  fields: Partial<Pick<Workflow, 'name' | 'title' | 'max_parallel'>>
): Workflow {
  return patched(document, fields);
}

/** Add a parameter to the workflow, under a fresh name. */
export function addParameter(
  document: Workflow,
  parameter: Parameter,
  wish = 'parameter'
): { document: Workflow; name: string } {
  const name = freshName(wish, Object.keys(document.parameters ?? {}));
  return { document: setParameter(document, name, parameter), name };
}

export function setParameter(
  document: Workflow,
  name: string,
  parameter: Parameter
): Workflow {
  return {
    ...document,
    parameters: { ...document.parameters, [name]: parameter }
  };
}

/** Rename a parameter, and with it every reference to it. */
export function renameParameter(
  document: Workflow,
  from: string,
  to: string
): Workflow {
  const renamed = {
    ...document,
    parameters: renameKey(document.parameters ?? {}, from, to)
  };
  return rewritten(renamed, renaming('params', new Map([[from, to]])));
}

/** Remove a parameter. References to it stay, and are then problems: what they should be instead is not known. */
export function removeParameter(document: Workflow, name: string): Workflow {
  const { parameters, ...rest } = document;
  const left = omit(parameters ?? {}, new Set([name]));
  return Object.keys(left).length ? { ...document, parameters: left } : rest;
}

/** Put steps somewhere on the canvas, at whole pixels. */
export function move(document: Workflow, to: Items<Point>): Workflow {
  const layout = { ...document.layout };
  for (const [name, { x, y }] of Object.entries(to)) {
    layout[name] = [Math.round(x) + 0, Math.round(y) + 0];
  }
  return { ...document, layout };
}

function mapScenes(
  scenes: Items<string[]>,
  change: (names: string[]) => string[]
): Items<string[]> {
  return Object.fromEntries(
    Object.entries(scenes).map(([name, names]) => [name, change(names)])
  );
}

function mapGroups(
  groups: Items<Group>,
  change: (names: string[]) => string[]
): Items<Group> {
  return Object.fromEntries(
    Object.entries(groups).map(([name, group]) => [
      name,
      group.steps ? { ...group, steps: change(group.steps) } : group
    ])
  );
}

function mapSteps(document: Workflow, change: (step: Step) => Step): Workflow {
  const steps = Object.entries(document.steps ?? {}).map(
    ([name, step]): [string, Step] => [name, change(step)]
  );
  return { ...document, steps: Object.fromEntries(steps) };
}

function mapStep(
  document: Workflow,
  name: string,
  change: (step: Step) => Step
): Workflow {
  const step = document.steps?.[name];
  return step
    ? { ...document, steps: { ...document.steps, [name]: change(step) } }
    : document;
}

/** An argument without a result of a step; of a join, the other values are left. */
function withoutSource(
  argument: Argument | undefined,
  source: IStepSource
): Argument | undefined {
  if (!isFirst(argument)) {
    return undefined;
  }
  const text = formatReference(source);
  const left = argument.first.filter(
    each => !(isReference(each) && each.from === text)
  );
  return left.length ? { ...argument, first: left } : undefined;
}

function withArgument(
  step: Step,
  input: string,
  argument: Argument | undefined
): Step {
  if (argument !== undefined) {
    return { ...step, parameters: { ...step.parameters, [input]: argument } };
  }
  const { parameters, ...rest } = step;
  const left = omit(parameters ?? {}, new Set([input]));
  return Object.keys(left).length ? { ...step, parameters: left } : rest;
}

function withAfter(step: Step, names: string[]): Step {
  const { after: _, ...rest } = step;
  return names.length ? { ...step, after: names } : rest;
}

function patched<T extends object>(object: T, fields: Partial<T>): T {
  const empty = Object.entries(fields).filter(
    ([, value]) => value === undefined || value === ''
  );
  const result = { ...object, ...fields };
  return omit(result as Items<unknown>, new Set(empty.map(([k]) => k))) as T;
}
