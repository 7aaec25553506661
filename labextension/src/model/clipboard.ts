/** Steps as a text that another document can take: copied here, pasted there, in another tab or window. */
import { namesIn } from './expressions';
import { isStepSource } from './graph';
import { NAME, freshName } from './names';
import { rebase } from './paths';
import type { IRules } from './rewrite';
import { renaming, rewritten } from './rewrite';
import { scan } from './scan';
import { checkShape } from './shape';
import type {
  Group,
  JSONObject,
  Note,
  Parameter,
  Point,
  Step,
  Workflow
} from './types';
import { isObject } from './types';

type Items<T> = { [name: string]: T };

/** Tells our text from any other that is in the clipboard. */
const MARK = 'mlwf-steps';
const VERSION = 1;

const MAX_LENGTH = 5_000_000;
const MAX_STEPS = 2_000;

/** How far from what is there already something is put that nobody said the place of. */
const OFFSET = 40;

/** Steps and notes with all that is needed to put them into a document. */
export interface IClip {
  /** Where the document lies that they were copied from: its paths are relative to it. */
  folder: string;
  document: Workflow;
}

/** The text that stands for some steps and notes of a document. */
export function copy(
  document: Workflow,
  selection: { steps: readonly string[]; notes: readonly string[] },
  places: ReadonlyMap<string, Point>,
  folder: string
): string {
  const steps = picked(document.steps, selection.steps);
  const clip = {
    [MARK]: VERSION,
    folder,
    parameters: picked(document.parameters, parametersIn(steps)),
    steps,
    groups: Object.fromEntries(
      Object.entries(document.groups ?? {}).filter(
        ([, group]) =>
          group.steps?.length &&
          group.steps.every(name => Object.hasOwn(steps, name))
      )
    ),
    notes: picked(document.notes, selection.notes),
    layout: Object.fromEntries(
      Object.keys(steps).flatMap(name => {
        const place = places.get(name);
        return place ? [[name, [place.x, place.y]]] : [];
      })
    )
  };
  return JSON.stringify(clip, null, 2);
}

/** What a text holds that was copied here or elsewhere; null if it is anything else. */
export function readClip(text: string): IClip | null {
  if (text.length > MAX_LENGTH || !text.includes(`"${MARK}"`)) {
    return null;
  }
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isObject(data) || data[MARK] !== VERSION) {
    return null;
  }
  const { folder, parameters, steps, groups, notes, layout } = data;
  const parts = { parameters, steps, groups, notes, layout };
  const given = Object.entries(parts).filter(([, part]) => part !== undefined);
  const form: JSONObject = { name: 'clip', ...Object.fromEntries(given) };
  // What a document could not hold is refused: no sound form, nested too deep, given twice.
  if (
    typeof folder !== 'string' ||
    scan(text).length ||
    checkShape(form).length
  ) {
    return null;
  }
  const document = form as unknown as Workflow;
  const named = [
    document.parameters,
    document.steps,
    document.groups,
    document.notes,
    document.layout
  ].flatMap(items => Object.keys(items ?? {}));
  const count = Object.keys(document.steps ?? {}).length;
  const isSound = named.every(name => NAME.test(name)) && count <= MAX_STEPS;
  return isSound && named.length ? { folder, document } : null;
}

/** Put what was copied into a document, under fresh names. */
export function paste(
  document: Workflow,
  clip: IClip,
  options: {
    /** Where the document lies. */
    folder: string;
    /** The middle of where it goes; beside where it was, if it is not said. */
    at?: Point;
  }
): { document: Workflow; steps: string[]; notes: string[] } {
  const known = new Set([
    ...Object.keys(document.steps ?? {}),
    ...Object.keys(clip.document.steps ?? {})
  ]);
  const names = freshNames(clip.document.steps, document.steps);
  const noteNames = freshNames(clip.document.notes, document.notes);
  const groupNames = freshNames(clip.document.groups, document.groups);
  const cut = rewritten(clip.document, onlyKnown(known));
  const added = rewritten(cut, renaming('steps', names));
  const shift = shiftOf(document, clip.document, options.at);
  const moved = ([x, y]: number[]): [number, number] => [
    Math.round(x + shift.x) + 0,
    Math.round(y + shift.y) + 0
  ];
  const steps = under(names, added.steps, step =>
    rebased(step, clip.folder, options.folder)
  );
  const notes = under(noteNames, added.notes, (note: Note) => ({
    ...note,
    at: moved(note.at)
  }));
  const groups = under(groupNames, added.groups, (group: Group) => ({
    ...group,
    steps: (group.steps ?? []).flatMap(name => names.get(name) ?? [])
  }));
  const layout = under(
    names,
    picked(clip.document.layout, [...names.keys()]),
    moved
  );
  const result: Workflow = {
    ...document,
    steps: { ...document.steps, ...steps },
    layout: { ...document.layout, ...layout }
  };
  const lacking: Items<Parameter> = Object.fromEntries(
    Object.entries(clip.document.parameters ?? {}).filter(
      ([name]) => !Object.hasOwn(document.parameters ?? {}, name)
    )
  );
  if (Object.keys(lacking).length) {
    result.parameters = { ...document.parameters, ...lacking };
  }
  if (noteNames.size) {
    result.notes = { ...document.notes, ...notes };
  }
  if (groupNames.size) {
    result.groups = { ...document.groups, ...groups };
  }
  return {
    document: result,
    steps: [...names.values()],
    notes: [...noteNames.values()]
  };
}

/** Rules that take out what steps are waited for, or looked at, that nobody knows. */
function onlyKnown(known: ReadonlySet<string>): IRules {
  return {
    source: source =>
      isStepSource(source) && !known.has(source.step) ? null : source,
    expression: text =>
      namesIn(text, 'steps').every(name => known.has(name)) ? text : null,
    step: name => (known.has(name) ? name : null)
  };
}

/** The parameters of the workflow that steps look at. */
function parametersIn(steps: Items<Step>): string[] {
  const found = new Set<string>();
  rewritten(
    { name: 'steps', steps },
    {
      source: source => {
        if (source.kind === 'params') {
          found.add(source.name);
        }
        return source;
      },
      expression: text => {
        namesIn(text, 'params').forEach(name => found.add(name));
        return text;
      },
      step: name => name
    }
  );
  return [...found];
}

/** Names that nothing has yet: neither in the document nor, under another, in what is added. */
function freshNames(
  added: Items<unknown> = {},
  present: Items<unknown> = {}
): Map<string, string> {
  const taken = new Set([...Object.keys(present), ...Object.keys(added)]);
  return new Map(
    Object.keys(added).map(name => {
      const fresh = Object.hasOwn(present, name)
        ? freshName(name.replace(/_\d+$/, ''), taken)
        : name;
      taken.add(fresh);
      return [name, fresh];
    })
  );
}

/** How far all is moved, so that it stands where it is wanted and nothing lies exactly on something else. */
function shiftOf(document: Workflow, clip: Workflow, at?: Point): Point {
  const places = corners(clip);
  if (!places.length) {
    return { x: 0, y: 0 };
  }
  const middle = (values: number[]) =>
    (Math.min(...values) + Math.max(...values)) / 2;
  const shift = at
    ? {
        x: at.x - middle(places.map(([x]) => x)),
        y: at.y - middle(places.map(([, y]) => y))
      }
    : { x: OFFSET, y: OFFSET };
  const cell = (x: number, y: number) =>
    `${Math.round(x / OFFSET)},${Math.round(y / OFFSET)}`;
  const taken = new Set(corners(document).map(([x, y]) => cell(x, y)));
  while (places.some(([x, y]) => taken.has(cell(x + shift.x, y + shift.y)))) {
    shift.x += OFFSET;
    shift.y += OFFSET;
  }
  return shift;
}

function corners({ layout, notes }: Workflow): number[][] {
  return [
    ...Object.values(layout ?? {}),
    ...Object.values(notes ?? {}).map(note => note.at)
  ];
}

/** A step whose paths lead to the same files from another folder. */
function rebased(step: Step, from: string, to: string): Step {
  const changed = { ...step };
  if (step.notebook) {
    changed.notebook = rebase(step.notebook, from, to);
  }
  if (step.workflow?.endsWith('.mlwf')) {
    changed.workflow = rebase(step.workflow, from, to);
  }
  if (step.files) {
    changed.files = step.files.map(path => rebase(path, from, to));
  }
  return changed;
}

function picked<T>(items: Items<T> = {}, names: readonly string[]): Items<T> {
  const wanted = new Set(names);
  return Object.fromEntries(
    Object.entries(items).filter(([name]) => wanted.has(name))
  );
}

function under<T, R>(
  names: ReadonlyMap<string, string>,
  items: Items<T> = {},
  change: (item: T) => R
): Items<R> {
  return Object.fromEntries(
    Object.entries(items).map(([name, item]) => [
      names.get(name) ?? name,
      change(item)
    ])
  );
}
