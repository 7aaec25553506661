/** What can be connected with what, and the edits that connect it. */
import { connect, connectOrder, disconnect, setArgument } from './edits';
import type { Edge, IStepSource } from './graph';
import {
  ancestors,
  descendants,
  edgeSource,
  edges,
  formatReference
} from './graph';
import type { IInputPort, IPorts } from './ports';
import { outputId } from './ports';
import type { Argument, NotebookInput, Step, Workflow } from './types';
import { isFirst, isReference } from './types';

export type ValueType = NonNullable<NotebookInput['type']>;

export type Output = Pick<IStepSource, 'kind' | 'name'>;

/** Where a wire can begin; without an output it says that another step waits for this one. */
export interface ISourcePort {
  side: 'source';
  step: string;
  output: Output | null;
}

/** Where a wire can end; without an input it says that this step waits for another. */
export interface ITargetPort {
  side: 'target';
  step: string;
  input: string | null;
}

export type Port = ISourcePort | ITargetPort;

/** Why two ports cannot be connected. */
export type Misfit =
  | { code: 'side' | 'order' | 'cycle' | 'connected' | 'secret' }
  | { code: 'type'; given: ValueType; wanted: ValueType };

/** All that says what fits. */
export interface IFacts {
  workflow: Workflow;
  /** Ports of a step; nothing if there is no such step. */
  ports: (step: string) => IPorts | undefined;
  /** The value that a step recorded in the run that is shown, if any. */
  recorded: (step: string, output: string) => unknown;
}

/** What is known of the type of an output, as other steps see it. */
export function givenType(
  step: Step | undefined,
  output: Output,
  recorded: unknown
): ValueType | null {
  if (step?.foreach != null) {
    return 'list';
  }
  return output.kind === 'artifacts' ? 'str' : typeOf(recorded);
}

function typeOf(value: unknown): ValueType | null {
  switch (typeof value) {
    case 'string':
      return 'str';
    case 'boolean':
      return 'bool';
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float';
    case 'object':
      return value === null ? null : Array.isArray(value) ? 'list' : 'dict';
    default:
      return null;
  }
}

/** Why an input takes no value of a type; null if it does, or if one of the two is not known. */
export function misfitOfTypes(
  given: ValueType | null,
  wanted: ValueType | null
): Misfit | null {
  if (wanted === 'secret') {
    return { code: 'secret' };
  }
  const fits =
    given === null ||
    wanted === null ||
    given === wanted ||
    (given === 'int' && wanted === 'float');
  return fits ? null : { code: 'type', given, wanted };
}

/** A wire that is being pulled from a port. */
export class Pull {
  constructor(
    private readonly _facts: IFacts,
    readonly port: Port
  ) {
    const search = port.side === 'source' ? ancestors : descendants;
    this._blocked = search(_facts.workflow, port.step);
  }

  /** The type of what flows, as far as it is known. */
  get type(): ValueType | null {
    const { port } = this;
    if (port.side === 'target') {
      return this._input(port)?.declared?.type ?? null;
    }
    return port.output && this._given(port.step, port.output);
  }

  /** Whether the steps would wait for each other. */
  isBlocked(step: string): boolean {
    return this._blocked.has(step);
  }

  /** Why the wire cannot end at a port; null if it can. */
  complain(other: Port): Misfit | null {
    const [from, to] = ordered(this.port, other);
    if (!from || !to) {
      return { code: 'side' };
    }
    if (this._blocked.has(other.step)) {
      return { code: 'cycle' };
    }
    if ((from.output === null) !== (to.input === null)) {
      return { code: 'order' };
    }
    if (from.output === null || to.input === null) {
      const after = this._facts.workflow.steps?.[to.step]?.after;
      return after?.includes(from.step) ? { code: 'connected' } : null;
    }
    const input = this._input(to);
    const text = formatReference({ ...from.output, step: from.step });
    if (isReference(input?.argument) && input.argument.from === text) {
      return { code: 'connected' };
    }
    return misfitOfTypes(
      this._given(from.step, from.output),
      input?.declared?.type ?? null
    );
  }

  /** Ports of a step that the wire can end at, the likeliest first. */
  fitting(step: string): Port[] {
    const ports = this._facts.ports(step);
    if (!ports || this._blocked.has(step)) {
      return [];
    }
    const found = portsAcross(this.port, step, ports).filter(
      other => this.complain(other) === null
    );
    return this._ranked(found);
  }

  /**
   * The port of a step that the wire ends at if it is dropped on its body: the only one that fits, the one of
   * the same name, or the only one that has no value yet; null if that is not clear.
   */
  obvious(step: string): Port | null {
    const found = this.fitting(step);
    const same = found.filter(other => nameOf(other) === nameOf(this.port));
    const free = found.filter(
      other => other.side === 'target' && !this._input(other)?.argument
    );
    return (
      [found, same, free].find(some => some.length === 1)?.[0] ??
      same[0] ??
      null
    );
  }

  /** What could be connected in a file that is not a step yet, the likeliest first. */
  fittingNew(ports: IPorts): Port[] {
    const found = portsAcross(this.port, '', ports).filter(other => {
      const [from, to] = ordered(this.port, other);
      if (!from?.output || !to?.input) {
        return true;
      }
      const input = ports.inputs.find(({ name }) => name === to.input);
      const known = input ?? this._input(to);
      const given = from.step ? this._given(from.step, from.output) : null;
      return misfitOfTypes(given, known?.declared?.type ?? null) === null;
    });
    return this._ranked(found, ports);
  }

  private _ranked(found: Port[], own?: IPorts): Port[] {
    const score = (other: Port) => {
      const input =
        other.side === 'target'
          ? (own?.inputs.find(({ name }) => name === other.input) ??
            this._input(other))
          : undefined;
      return (
        (nameOf(other) === nameOf(this.port) ? 4 : 0) +
        (input && input.argument === undefined ? 1 : 0) +
        (input?.declared?.required ? 1 : 0)
      );
    };
    return [...found].sort((a, b) => score(b) - score(a));
  }

  private _input(port: ITargetPort): IInputPort | undefined {
    const inputs = this._facts.ports(port.step)?.inputs;
    return inputs?.find(({ name }) => name === port.input);
  }

  private _given(step: string, output: Output): ValueType | null {
    const recorded =
      output.kind === 'outputs'
        ? this._facts.recorded(step, output.name)
        : undefined;
    return givenType(this._facts.workflow.steps?.[step], output, recorded);
  }

  private readonly _blocked: ReadonlySet<string>;
}

/** Ports of a step that are of the same sort as one of another step, on the other side. */
function portsAcross(port: Port, step: string, ports: IPorts): Port[] {
  if (port.side === 'source') {
    const inputs = port.output
      ? ports.inputs
          .filter(({ isDangling }) => !isDangling)
          .map(({ name }) => name)
      : [null];
    return inputs.map(input => ({ side: 'target', step, input }));
  }
  const outputs =
    port.input === null
      ? [null]
      : ports.outputs
          .filter(({ isDangling }) => !isDangling)
          .map(({ kind, name }) => ({ kind, name }));
  return outputs.map(output => ({ side: 'source', step, output }));
}

/** What a port is called; null for one that carries no value. */
export function nameOf(port: Port): string | null {
  return port.side === 'source' ? (port.output?.name ?? null) : port.input;
}

function ordered(
  one: Port,
  other: Port
): [from?: ISourcePort, to?: ITargetPort] {
  if (one.side === 'source' && other.side === 'target') {
    return [one, other];
  }
  return one.side === 'target' && other.side === 'source' ? [other, one] : [];
}

/** Connect two ports, whichever of them is the source. */
export function join(document: Workflow, one: Port, other: Port): Workflow {
  const [from, to] = ordered(one, other);
  if (!from || !to) {
    return document;
  }
  return from.output && to.input !== null
    ? connect(document, { ...from.output, step: from.step }, to.step, to.input)
    : connectOrder(document, from.step, to.step);
}

/** Whether nothing connects a step with others. */
export function isUnconnected(document: Workflow, step: string): boolean {
  return edges(document).every(
    edge => edgeSource(edge) !== step && edge.target !== step
  );
}

/**
 * Put a step, which must be unconnected, into an edge. What fits is connected, and where nothing fits the steps
 * only wait for each other; the value then still comes from where it came from.
 */
export function insert(
  facts: IFacts,
  edge: Edge,
  step: string
): { document: Workflow; passes: boolean } {
  const { workflow } = facts;
  const source = edgeSource(edge);
  if (edge.kind !== 'data') {
    const cut = disconnect(workflow, [edge]);
    const before = connectOrder(cut, source, step);
    return { document: connectOrder(before, step, edge.target), passes: true };
  }
  const first = new Pull(facts, {
    side: 'source',
    step: source,
    output: { kind: edge.source.kind, name: edge.source.name }
  });
  const last = new Pull(facts, {
    side: 'target',
    step: edge.target,
    input: edge.input
  });
  const [input] = first.fitting(step);
  const output = last
    .fitting(step)
    .find((port): port is ISourcePort => port.side === 'source');
  let document = input
    ? join(workflow, first.port, input)
    : connectOrder(workflow, source, step);
  if (output?.output) {
    const old = document.steps?.[edge.target]?.parameters?.[edge.input];
    const now = { from: formatReference({ ...output.output, step }) };
    const argument = replaced(old, formatReference(edge.source), now);
    document = setArgument(document, edge.target, edge.input, argument);
  } else {
    document = connectOrder(document, step, edge.target);
  }
  return { document, passes: Boolean(input && output) };
}

/** An argument with another source in the place of one; of a join, the others stay. */
function replaced(
  argument: Argument | undefined,
  from: string,
  now: { from: string }
): Argument {
  if (!isFirst(argument)) {
    return now;
  }
  const first = argument.first.map(each =>
    isReference(each) && each.from === from ? now : each
  );
  return { ...argument, first };
}

/** What flows along an edge, in words that need no translation; null if nothing does. */
export function flowOf(edge: Edge): string | null {
  return edge.kind === 'data' ? `${edge.source.name} → ${edge.input}` : null;
}

/** Identifies a port among those of all steps. */
export function portId(port: Port): string {
  const own =
    port.side === 'source'
      ? port.output
        ? outputId(port.output)
        : 'after'
      : port.input === null
        ? 'before'
        : `in.${port.input}`;
  return `${port.step} ${own}`;
}
