/** What the expressions of a step see of a run, as `core/scope.py` and `core/resolve.py` show it. */
import type { RunRecord, StepRecord } from '../api/types';
import { parseReference } from '../model/graph';
import type { Argument, JSONValue, Workflow } from '../model/types';
import { isExpression, isFirst, isReference } from '../model/types';
import { fromArgument } from '../model/values';
import type { Variables } from './cel';
import { celValue, evaluate } from './cel';
import { BadExpression } from './words';

type Items = { [name: string]: unknown };

/**
 * The variables of a step's expressions; in a loop, those of its first turn.
 *
 * A whole number in an output is taken for an int: JSON does not say whether Python had a float there.
 */
export function variablesOf(
  run: RunRecord,
  workflow: Workflow,
  foreach: Argument | null | undefined
): Variables {
  const variables: Variables = {
    params: mapItems(run.parameters, (value, name) =>
      workflow.parameters?.[name]?.type === 'float'
        ? value
        : celValue(value as JSONValue)
    ),
    steps: Object.fromEntries(
      Object.entries(run.steps)
        .filter(([name]) => !name.includes('.'))
        .map(([name, step]) => [name, view(run, name, step)])
    ),
    run: {
      id: run.id,
      number: BigInt(run.number),
      workflow: run.workflow,
      created: run.created.replace(/Z$/, '+00:00')
    }
  };
  if (foreach == null) {
    return variables;
  }
  const items = valueOf(foreach, variables);
  return Array.isArray(items) && items.length
    ? { ...variables, item: items[0] as unknown, index: 0n }
    : variables;
}

/** The value of an argument as CEL has it; undefined if it has none. */
function valueOf(argument: Argument, variables: Variables): unknown {
  if (isExpression(argument)) {
    try {
      return celValue(evaluate(String(argument.expr), variables));
    } catch (error) {
      if (error instanceof BadExpression) {
        return undefined;
      }
      throw error;
    }
  }
  if (isFirst(argument)) {
    return argument.first
      .map(each => valueOf(each, variables))
      .find(value => value !== undefined);
  }
  if (!isReference(argument)) {
    return celValue(fromArgument(argument));
  }
  const source = parseReference(String(argument.from));
  if (!source || source.kind === 'item') {
    return undefined;
  }
  const path =
    source.kind === 'params'
      ? ['params', source.name]
      : ['steps', source.step, source.kind, source.name];
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Items)[key]
        : undefined,
    variables
  );
}

/** A step as expressions see it. What a loop recorded are lists, in the order of its items. */
function view(run: RunRecord, name: string, step: StepRecord): Items {
  if (step.turns === null) {
    return {
      state: step.state,
      reason: step.reason,
      attempts: BigInt(step.attempts),
      ...recorded(step)
    };
  }
  const turns = Array.from(
    { length: step.turns },
    (_, index) => run.steps[`${name}.${index}`]
  );
  const seen = turns.map(recorded);
  const gathered = mapItems(recorded(step), (_, kind) => {
    const names = new Set(
      seen.flatMap(turn => Object.keys(turn[kind as keyof typeof turn]))
    );
    return Object.fromEntries(
      [...names].map(key => [
        key,
        seen.map(turn => turn[kind as keyof typeof turn][key] ?? null)
      ])
    );
  });
  return {
    state: step.state,
    states: turns.map(turn => turn.state),
    ...gathered
  };
}

function recorded(
  step: StepRecord
): Record<'outputs' | 'artifacts' | 'metrics' | 'checks', Items> {
  return {
    outputs: mapItems(step.outputs, value => celValue(value as JSONValue)),
    artifacts: mapItems(step.artifacts, artifact => artifact.path),
    metrics: { ...step.metrics },
    checks: mapItems(step.checks, check => ({
      ...(celValue(check as unknown as JSONValue) as Items),
      min: check.min,
      max: check.max
    }))
  };
}

function mapItems<T>(
  items: { [name: string]: T },
  change: (value: T, name: string) => unknown
): Items {
  return Object.fromEntries(
    Object.entries(items).map(([name, value]) => [name, change(value, name)])
  );
}
