/** The DAG of a workflow, derived as `core/references.py` does it: from references, expressions and `after`. */
import { namesIn } from './expressions';
import type { Argument, Step, Workflow } from './types';
import { isExpression, isFirst, isReference } from './types';

/** `params.NAME`. */
export interface IParameterSource {
  kind: 'params';
  name: string;
}

/** `steps.STEP.outputs.NAME` or `steps.STEP.artifacts.NAME`. */
export interface IStepSource {
  kind: 'outputs' | 'artifacts';
  step: string;
  name: string;
}

/** `item`, a field of it such as `item.a.b`, or `index`: in a loop. */
export interface IItemSource {
  kind: 'item';
  path: string;
}

export type Source = IParameterSource | IStepSource | IItemSource;

/** Whether a source is a result of a step. */
export function isStepSource(source: Source): source is IStepSource {
  return source.kind === 'outputs' || source.kind === 'artifacts';
}

/** What a reference points at, or null if it is not written as one. */
export function parseReference(text: string): Source | null {
  const parameter = /^params\.([^.]+)$/.exec(text);
  if (parameter) {
    return { kind: 'params', name: parameter[1] };
  }
  const step = /^steps\.([^.]+)\.(outputs|artifacts)\.(.+)$/s.exec(text);
  if (step) {
    const kind = step[2] as IStepSource['kind'];
    return { kind, step: step[1], name: step[3] };
  }
  return /^(index|item(\.[^.]+)*)$/.test(text)
    ? { kind: 'item', path: text }
    : null;
}

export function formatReference(source: Source): string {
  if (source.kind === 'item') {
    return source.path;
  }
  return source.kind === 'params'
    ? `params.${source.name}`
    : `steps.${source.step}.${source.kind}.${source.name}`;
}

/** A value that passes from a step to an input of another. */
export interface IDataEdge {
  kind: 'data';
  source: IStepSource;
  target: string;
  input: string;
}

/** One step waits for another, though no value passes. */
export interface IOrderEdge {
  kind: 'order';
  source: string;
  target: string;
}

/** A step looks at another in an expression, in what it loops over or in what is to be labelled. */
export interface IUseEdge {
  kind: 'use';
  source: string;
  target: string;
}

export type Edge = IDataEdge | IOrderEdge | IUseEdge;

export function edgeId(edge: Edge): string {
  return edge.kind === 'data'
    ? `${formatReference(edge.source)} > ${edge.target}.${edge.input}`
    : `${edge.source} > ${edge.target}`;
}

/** Name of the step that an edge comes from. */
export function edgeSource(edge: Edge): string {
  return edge.kind === 'data' ? edge.source.step : edge.source;
}

/** Edges between steps that exist; between two steps, one that carries no value stands for all of that kind. */
export function edges(document: Workflow): Edge[] {
  const steps = document.steps ?? {};
  const found = Object.entries(steps).flatMap(([target, step]) => [
    ...stepSources(step)
      .filter(({ source }) => Object.hasOwn(steps, source.step))
      .map(({ source, input }): Edge => {
        return { kind: 'data', source, target, input };
      }),
    ...[...new Set(step.after ?? [])]
      .filter(before => Object.hasOwn(steps, before))
      .map((source): Edge => ({ kind: 'order', source, target })),
    ...looksAt(step)
      .filter(
        before => Object.hasOwn(steps, before) && !step.after?.includes(before)
      )
      .map((source): Edge => ({ kind: 'use', source, target }))
  ]);
  // A join may name a value twice.
  return [...new Map(found.map(edge => [edgeId(edge), edge])).values()];
}

/** The results of other steps that the parameters of a step take by references, in their order. */
export function stepSources(
  step: Step
): { input: string; source: IStepSource }[] {
  return Object.entries(step.parameters ?? {}).flatMap(([input, argument]) =>
    [...references(argument)]
      .filter(isStepSource)
      .map(source => ({ input, source }))
  );
}

/** What an argument takes from elsewhere by references, also as one of several. */
function* references(argument: Argument): Generator<Source> {
  if (isReference(argument)) {
    const source = parseReference(String(argument.from));
    if (source) {
      yield source;
    }
  } else if (isFirst(argument)) {
    for (const each of argument.first) {
      yield* references(each);
    }
  }
}

function* expressions(argument: Argument): Generator<string> {
  if (isExpression(argument)) {
    yield String(argument.expr);
  } else if (isFirst(argument)) {
    for (const each of argument.first) {
      yield* expressions(each);
    }
  }
}

/** The steps that a step looks at other than by references of its parameters, each once. */
function looksAt(step: Step): string[] {
  const others = [step.foreach, step.label?.items].filter(
    argument => argument != null
  );
  const found = others.flatMap(argument =>
    [...references(argument)].filter(isStepSource).map(source => source.step)
  );
  const texts = [...others, ...Object.values(step.parameters ?? {})].flatMap(
    argument => [...expressions(argument)]
  );
  if (step.when) {
    texts.push(step.when);
  }
  const named = texts.flatMap(text => namesIn(text, 'steps'));
  return [...new Set([...found, ...named])];
}

/** Names of the steps that a step waits for, each once. */
export function upstream(step: Step): string[] {
  const sources = stepSources(step).map(({ source }) => source.step);
  return [...new Set([...sources, ...looksAt(step), ...(step.after ?? [])])];
}

/** A step and all that it waits for, directly or not: none of these can wait for it. */
export function ancestors(document: Workflow, name: string): Set<string> {
  const found = new Set<string>();
  const open = [name];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const step = document.steps?.[next];
    if (step && !found.has(next)) {
      found.add(next);
      open.push(...upstream(step));
    }
  }
  return found;
}

/** A step and all that waits for it, directly or not: it can wait for none of these. */
export function descendants(document: Workflow, name: string): Set<string> {
  const waiting = new Map<string, string[]>();
  for (const edge of edges(document)) {
    const source = edgeSource(edge);
    waiting.set(source, [...(waiting.get(source) ?? []), edge.target]);
  }
  const found = new Set<string>();
  const open = [name];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (!found.has(next)) {
      found.add(next);
      open.push(...(waiting.get(next) ?? []));
    }
  }
  return found;
}

/** Whether a step that waits for another closes a circle. */
export function closesCycle(
  document: Workflow,
  source: string,
  target: string
): boolean {
  return ancestors(document, source).has(target);
}

/** How many steps lie on the longest way to each step; steps in a circle count as if it were cut somewhere. */
export function depths(document: Workflow): Map<string, number> {
  const steps = document.steps ?? {};
  const known = new Map<string, number>();
  const waiting = new Map<string, number>();
  const followers = new Map<string, string[]>();
  for (const [name, step] of Object.entries(steps)) {
    const before = upstream(step).filter(other => Object.hasOwn(steps, other));
    waiting.set(name, before.length);
    for (const other of before) {
      followers.set(other, [...(followers.get(other) ?? []), name]);
    }
    known.set(name, 0);
  }
  const ready = Object.keys(steps).filter(name => waiting.get(name) === 0);
  for (const name of ready) {
    for (const follower of followers.get(name) ?? []) {
      const depth = Math.max(known.get(follower)!, known.get(name)! + 1);
      known.set(follower, depth);
      const left = waiting.get(follower)! - 1;
      waiting.set(follower, left);
      if (left === 0) {
        ready.push(follower);
      }
    }
  }
  return known;
}
