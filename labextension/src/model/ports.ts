/** What a step takes and gives, as the canvas and the inspector show it. */
import type { IStepSource, Source } from './graph';
import {
  formatReference,
  isStepSource,
  parseReference,
  stepSources
} from './graph';
import { handedOn } from './kinds';
import type {
  Argument,
  NotebookInput,
  NotebookInterface,
  Workflow
} from './types';
import { isExpression, isFirst, isReference, isValue } from './types';

export interface IInputPort {
  name: string;
  /** What the notebook says of it; null if it does not have it, or could not be read. */
  declared: NotebookInput | null;
  /** True if the notebook was read and has no such input. */
  isDangling: boolean;
  argument: Argument | undefined;
  /** Where the value comes from, if the argument is a reference that can be read. */
  source: Source | null;
}

export interface IOutputPort {
  kind: IStepSource['kind'];
  name: string;
  /** True if another step takes it, but the notebook was read and does not record it. */
  isDangling: boolean;
}

export interface IPorts {
  inputs: IInputPort[];
  outputs: IOutputPort[];
}

/** What other steps take of each step, each once: one pass over the document for all of its steps. */
export function takenOutputs(document: Workflow): Map<string, IStepSource[]> {
  const taken = new Map<string, Map<string, IStepSource>>();
  for (const step of Object.values(document.steps ?? {})) {
    for (const { source } of stepSources(step)) {
      const known = taken.get(source.step) ?? new Map<string, IStepSource>();
      known.set(outputId(source), source);
      taken.set(source.step, known);
    }
  }
  return new Map(
    [...taken].map(([name, found]) => [name, [...found.values()]])
  );
}

/**
 * Ports of a step: what its notebook has, and after that what only the document speaks of, so that no
 * connection is ever hidden.
 *
 * @param read - the notebook's interface; undefined if it could not be read, or not yet.
 * @param taken - what other steps take of this one.
 */
export function portsOf(
  document: Workflow,
  name: string,
  read: NotebookInterface | undefined,
  taken: IStepSource[]
): IPorts {
  const step = document.steps?.[name] ?? {};
  const given = step.parameters ?? {};
  const made = read ?? handedOn(step);
  const declared = read?.inputs ?? [];
  const known = new Set(declared.map(input => input.name));
  const port = (
    input: string,
    found: NotebookInput | null,
    isDangling: boolean
  ): IInputPort => {
    const argument = Object.hasOwn(given, input) ? given[input] : undefined;
    const source = isReference(argument)
      ? parseReference(String(argument.from))
      : null;
    return { name: input, declared: found, isDangling, argument, source };
  };
  const outputs: IOutputPort[] = [
    ...(made?.outputs ?? []).map(output => recorded('outputs', output)),
    ...(made?.artifacts ?? []).map(output => recorded('artifacts', output))
  ];
  const recordedIds = new Set(outputs.map(outputId));
  const extra = taken.filter(source => !recordedIds.has(outputId(source)));
  return {
    inputs: [
      ...declared.map(input => port(input.name, input, false)),
      ...Object.keys(given)
        .filter(input => !known.has(input))
        .map(input => port(input, null, read !== undefined))
    ],
    outputs: [
      ...outputs,
      ...extra.map(({ kind, name: output }) => ({
        kind,
        name: output,
        isDangling: made != null && read?.complete !== false
      }))
    ]
  };
}

function recorded(kind: IOutputPort['kind'], name: string): IOutputPort {
  return { kind, name, isDangling: false };
}

/** Identifies an output among those of its step. */
export function outputId(output: Pick<IOutputPort, 'kind' | 'name'>): string {
  return `${output.kind}.${output.name}`;
}

/** The value or source of an input in a few characters; null if an edge shows it, or nothing is known. */
export function describeInput(port: IInputPort): {
  text: string;
  kind: 'literal' | 'source' | 'default';
} | null {
  const { argument, source, declared } = port;
  if (isReference(argument)) {
    if (!source) {
      return { kind: 'source', text: `← ${String(argument.from)}` };
    }
    return isStepSource(source)
      ? null
      : { kind: 'source', text: `← ${formatReference(source)}` };
  }
  if (isExpression(argument)) {
    return { kind: 'source', text: `= ${String(argument.expr)}` };
  }
  if (isFirst(argument)) {
    const count = argument.first.length;
    return { kind: 'source', text: `← first of ${count}` };
  }
  if (argument !== undefined) {
    const literal = isValue(argument) ? argument.value : argument;
    return { kind: 'literal', text: shorten(literal) };
  }
  if (declared && !declared.required) {
    const text = declared.source ?? shorten(declared.default);
    return { kind: 'default', text };
  }
  return null;
}

/** An argument in a few characters, wherever it stands. */
export function describeArgument(argument: Argument): string {
  if (isReference(argument)) {
    return String(argument.from);
  }
  if (isExpression(argument)) {
    return String(argument.expr);
  }
  return shorten(isValue(argument) ? argument.value : argument);
}

function shorten(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
