/** Changes what steps take from elsewhere, wherever a document says it. */
import { renamedIn } from './expressions';
import type { Source } from './graph';
import { formatReference, isStepSource, parseReference } from './graph';
import type { Argument, Step, Workflow } from './types';
import { isExpression, isFirst, isReference } from './types';

/** What becomes of what is taken; null takes it out. */
export interface IRules {
  source: (source: Source) => Source | null;
  expression: (text: string) => string | null;
  /** A step that is waited for. */
  step: (name: string) => string | null;
}

/** All that names a step, or a parameter of the workflow, follows its new name. */
export function renaming(
  root: 'steps' | 'params',
  names: ReadonlyMap<string, string>
): IRules {
  return {
    source: source => {
      if (root === 'steps' && isStepSource(source)) {
        return { ...source, step: names.get(source.step) ?? source.step };
      }
      return root === 'params' && source.kind === 'params'
        ? { ...source, name: names.get(source.name) ?? source.name }
        : source;
    },
    expression: text => renamedIn(text, root, names),
    step: name => (root === 'steps' ? (names.get(name) ?? name) : name)
  };
}

export function rewritten(document: Workflow, rules: IRules): Workflow {
  const steps = Object.entries(document.steps ?? {}).map(
    ([name, step]): [string, Step] => [name, rewrittenStep(step, rules)]
  );
  const result = { ...document, steps: Object.fromEntries(steps) };
  if (document.outputs) {
    result.outputs = rewrittenItems(document.outputs, rules);
  }
  return result;
}

function rewrittenStep(step: Step, rules: IRules): Step {
  const changed = { ...step };
  if (step.after) {
    changed.after = step.after.flatMap(name => rules.step(name) ?? []);
  }
  if (step.parameters) {
    changed.parameters = rewrittenItems(step.parameters, rules);
  }
  if (step.foreach != null) {
    const kept = rewrittenArgument(step.foreach, rules);
    if (kept === undefined) {
      delete changed.foreach;
      delete changed.max_parallel;
    } else {
      changed.foreach = kept;
    }
  }
  if (step.label?.items !== undefined) {
    const items = rewrittenArgument(step.label.items, rules) ?? [];
    changed.label = { ...step.label, items };
  }
  if (step.when) {
    const kept = rules.expression(step.when);
    if (kept === null) {
      delete changed.when;
    } else {
      changed.when = kept;
    }
  }
  // What became empty is left out, as where it is edited by hand.
  for (const key of ['after', 'parameters'] as const) {
    if (isEmptied(step[key], changed[key])) {
      delete changed[key];
    }
  }
  return changed;
}

function isEmptied(before: object | undefined, after: object | undefined) {
  const count = (items: object | undefined) => Object.keys(items ?? {}).length;
  return count(before) > 0 && count(after) === 0;
}

function rewrittenItems(
  items: { [name: string]: Argument },
  rules: IRules
): { [name: string]: Argument } {
  return Object.fromEntries(
    Object.entries(items).flatMap(([name, argument]) => {
      const kept = rewrittenArgument(argument, rules);
      return kept === undefined ? [] : [[name, kept]];
    })
  );
}

/** An argument, or undefined if nothing of it is left. */
function rewrittenArgument(
  argument: Argument,
  rules: IRules
): Argument | undefined {
  if (isFirst(argument)) {
    const first = argument.first.flatMap(each => {
      const kept = rewrittenArgument(each, rules);
      return kept === undefined ? [] : [kept];
    });
    return first.length || !argument.first.length
      ? { ...argument, first }
      : undefined;
  }
  if (isExpression(argument)) {
    const expr = rules.expression(String(argument.expr));
    return expr === null ? undefined : { ...argument, expr };
  }
  if (isReference(argument)) {
    const source = parseReference(String(argument.from));
    if (!source) {
      return argument;
    }
    const kept = rules.source(source);
    return kept ? { ...argument, from: formatReference(kept) } : undefined;
  }
  return argument;
}
