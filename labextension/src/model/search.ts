/** Finds steps by what they are called, what they say, and what their notebooks say. */
import type { Argument, Step, Workflow } from './types';
import { isExpression, isFirst, isReference, isValue } from './types';

/** Where a step holds what is looked for. */
export type HitPlace =
  'name' | 'title' | 'file' | 'parameter' | 'condition' | 'text' | 'note';

export interface IHit {
  /** Name of the step, or of the note. */
  name: string;
  place: HitPlace;
  /** The line that holds it. */
  line: string;
  /** Where in the line it begins, and how long it is. */
  start: number;
  length: number;
}

const MAX_HITS = 200;
/** How much of a long line is shown, and how much of that before the hit. */
const SHOWN = 120;
const BEFORE = 30;

/** At most one hit for each place of a step, the better places first. */
export function search(
  document: Workflow,
  query: string,
  texts: ReadonlyMap<string, readonly string[]> = new Map()
): IHit[] {
  const wanted = query.trim().toLowerCase();
  if (!wanted) {
    return [];
  }
  const hits: IHit[] = [];
  const look = (name: string, place: HitPlace, lines: Iterable<string>) => {
    for (const line of lines) {
      const start = line.toLowerCase().indexOf(wanted);
      if (start >= 0) {
        hits.push({ name, place, ...cut(line, start, wanted.length) });
        return;
      }
    }
  };
  for (const [name, step] of Object.entries(document.steps ?? {})) {
    look(name, 'name', [name]);
    look(name, 'title', step.title ? [step.title] : []);
    look(name, 'file', [step.notebook ?? step.workflow ?? '']);
    look(name, 'parameter', parameterLines(step));
    look(name, 'condition', step.when ? [step.when] : []);
    look(name, 'text', messages(step));
    look(name, 'text', texts.get(step.notebook ?? '') ?? []);
  }
  for (const [name, note] of Object.entries(document.notes ?? {})) {
    look(name, 'note', note.text.split('\n'));
  }
  const order: HitPlace[] = [
    'name',
    'title',
    'file',
    'parameter',
    'condition',
    'note',
    'text'
  ];
  return hits
    .sort((a, b) => order.indexOf(a.place) - order.indexOf(b.place))
    .slice(0, MAX_HITS);
}

function* parameterLines(step: Step): Generator<string> {
  for (const [name, argument] of Object.entries(step.parameters ?? {})) {
    yield `${name} = ${said(argument)}`;
  }
  if (step.foreach != null) {
    yield said(step.foreach);
  }
}

function said(argument: Argument): string {
  if (isReference(argument)) {
    return String(argument.from);
  }
  if (isExpression(argument)) {
    return String(argument.expr);
  }
  if (isFirst(argument)) {
    return argument.first.map(said).join(', ');
  }
  const literal = isValue(argument) ? argument.value : argument;
  return typeof literal === 'string' ? literal : JSON.stringify(literal);
}

function messages({ person, label }: Step): string[] {
  return [person?.message, label?.message].flatMap(text =>
    text ? text.split('\n') : []
  );
}

/** A long line around the hit. */
function cut(
  line: string,
  start: number,
  length: number
): Pick<IHit, 'line' | 'start' | 'length'> {
  if (line.length <= SHOWN) {
    return { line, start, length };
  }
  const from = Math.max(0, start - BEFORE);
  const head = from > 0 ? '…' : '';
  const shown = line.slice(from, from + SHOWN);
  const tail = from + SHOWN < line.length ? '…' : '';
  return {
    line: head + shown + tail,
    start: start - from + head.length,
    length: Math.min(length, shown.length - (start - from))
  };
}
