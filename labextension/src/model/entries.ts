/**
 * A document as a flat table of entries, one for each field, so that edits of several people merge field by
 * field. `server/ydoc.py` reads and writes the same table.
 *
 * The key of an entry is its path as a JSON pointer without the first slash. The entry is `[rank]` for an
 * object whose fields have entries of their own, and `[rank, JSON]` for anything else: as text, since a shared
 * object has no order of keys. Ranks put the fields of an object in order. An entry without its parent is what is left when one person removed a step that
 * another edited: it is ignored. A text that is no workflow is kept whole, under a key of its own.
 */
import type { JSONObject, JSONValue, Workflow } from './types';
import { isObject } from './types';

export type Entry = [rank: number] | [rank: number, json: string];

export type Entries = Iterable<[key: string, entry: Entry]>;

/** What to set in a table, and what to remove from it. */
export interface IDifference {
  set: Map<string, Entry>;
  remove: string[];
}

/** No path has this key: a name that holds ~ is escaped. */
const TEXT_KEY = '~';

/** The table of a text that is no workflow. */
export function textEntries(text: string): Map<string, Entry> {
  return new Map([[TEXT_KEY, [0, JSON.stringify(text)]]]);
}

/** The text that a table holds instead of a document; null if it holds a document. An empty table is an empty text. */
export function textOf(entries: ReadonlyMap<string, Entry>): string | null {
  if (entries.size === 0) {
    return '';
  }
  const json = entries.get(TEXT_KEY)?.[1];
  return json === undefined ? null : (JSON.parse(json) as string);
}

/** Entries of a document, whose ranks agree with those that the table has already. */
export function toEntries(
  document: Workflow,
  old: ReadonlyMap<string, Entry> = new Map<string, Entry>()
): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  const add = (object: JSONObject, path: string[]) => {
    const items = Object.entries(object).filter(([, v]) => v !== undefined);
    const keys = items.map(([name]) => join([...path, name]));
    const ranks = rank(keys.map(key => old.get(key)?.[0]));
    items.forEach(([name, value], index) => {
      const inner = [...path, name];
      if (isSplit(inner) && isObject(value)) {
        entries.set(keys[index], [ranks[index]]);
        add(value, inner);
      } else {
        entries.set(keys[index], [ranks[index], JSON.stringify(value)]);
      }
    });
  };
  add(document as unknown as JSONObject, []);
  return entries;
}

/** The document that a table holds. */
export function fromEntries(entries: Entries): JSONObject {
  const children = new Map<string, [name: string, key: string, Entry][]>();
  for (const [key, entry] of entries) {
    const path = split(key);
    const name = path.pop()!;
    const parent = join(path);
    const list = children.get(parent);
    if (list) {
      list.push([name, key, entry]);
    } else {
      children.set(parent, [[name, key, entry]]);
    }
  }
  const build = (parent: string): JSONObject => {
    const list = children.get(parent) ?? [];
    list.sort(([a, , x], [b, , y]) => x[0] - y[0] || (a < b ? -1 : 1));
    return Object.fromEntries(
      list.map(([name, key, entry]) => [
        name,
        entry.length === 1 ? build(key) : (JSON.parse(entry[1]) as JSONValue)
      ])
    );
  };
  return build('');
}

export function difference(
  old: ReadonlyMap<string, Entry>,
  wanted: ReadonlyMap<string, Entry>
): IDifference {
  const set = new Map<string, Entry>();
  for (const [key, entry] of wanted) {
    const before = old.get(key);
    if (before?.[0] !== entry[0] || before[1] !== entry[1]) {
      set.set(key, entry);
    }
  }
  return { set, remove: [...old.keys()].filter(key => !wanted.has(key)) };
}

/** Parts of a document whose items merge field by field. */
const SPLIT = ['parameters', 'steps', 'groups', 'notes'];

/** Whether the fields of an object at a path have entries of their own. */
function isSplit(path: string[]): boolean {
  const [first, , third] = path;
  switch (path.length) {
    case 1:
      return [...SPLIT, 'layout'].includes(first);
    case 2:
      return SPLIT.includes(first);
    case 3:
      return first === 'steps' && third === 'parameters';
    default:
      return false;
  }
}

/** Growing numbers, those that are there already where they grow. */
function rank(old: (number | undefined)[]): number[] {
  let last = -1;
  return old.map((own, index) => {
    if (own === undefined || own <= last) {
      const next = old
        .slice(index + 1)
        .find(other => other !== undefined && other > last);
      last = next === undefined ? last + 1 : (last + next) / 2;
    } else {
      last = own;
    }
    return last;
  });
}

function join(path: string[]): string {
  return path
    .map(part => part.replaceAll('~', '~0').replaceAll('/', '~1'))
    .join('/');
}

function split(key: string): string[] {
  return key
    .split('/')
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}
