/** What can be written at a place of an expression. */
import { FUNCTIONS } from './cel';
import { memberOf } from '../model/arguments';

/** What an expression can name. */
export interface INames {
  /** Parameters of the workflow, with their types. */
  params: { name: string; type: string }[];
  steps: IStepNames[];
  /** Whether there are an item and its index. */
  isLoop: boolean;
}

export interface IStepNames {
  name: string;
  outputs: string[];
  artifacts: string[];
  metrics: string[];
  checks: string[];
}

export interface ICompletion {
  label: string;
  detail: string;
  /** What stands from `from` up to the cursor once it is chosen. */
  insert: string;
  from: number;
}

interface IChoice {
  name: string;
  detail?: string;
  /** What follows the name. */
  after?: string;
}

const PATH = /(?<![\w.\])])([A-Za-z_]\w*(?:\.\w*|\['[^']*'\]|\["[^"]*"\])*)$/;

const SEEN: IChoice[] = [
  ...['outputs', 'metrics', 'checks', 'artifacts'].map(name => ({
    name,
    after: '.'
  })),
  ...['state', 'reason', 'attempts'].map(name => ({ name }))
];

/** What can be written instead of the word before the cursor. */
export function completionsAt(
  text: string,
  cursor: number,
  names: INames
): ICompletion[] {
  const before = text.slice(0, cursor);
  const path = PATH.exec(before)?.[1] ?? '';
  const open = /(?:^|[\s(,[!&|?:=<>+\-*/%])$/.test(before);
  if ((!path && !open) || isInText(before)) {
    return [];
  }
  const parts = [
    ...path.matchAll(/\.?(\w+)|\['([^']*)'\]|\["([^"]*)"\]|\.$/g)
  ].map(([, word, one, two]) => word ?? one ?? two ?? '');
  if (path.endsWith(']')) {
    return [];
  }
  const word = parts.pop() ?? '';
  const isMember = parts.length > 0;
  const from = cursor - word.length - (isMember ? 1 : 0);
  return choices(parts, names)
    .filter(
      ({ name }) =>
        name.toLowerCase().startsWith(word.toLowerCase()) && name !== word
    )
    .map(({ name, detail = '', after = '' }) => ({
      label: name + (after === '(' ? '()' : ''),
      detail,
      insert: (isMember ? memberOf(name) : name) + after,
      from
    }));
}

function choices(path: string[], names: INames): IChoice[] {
  const [root, name, kind, recorded] = path;
  if (root === undefined) {
    return [
      { name: 'params', after: '.' },
      { name: 'steps', after: '.' },
      { name: 'run', after: '.' },
      ...(names.isLoop ? [{ name: 'item' }, { name: 'index' }] : []),
      { name: 'has', after: '(' },
      ...['true', 'false', 'null'].map(word => ({ name: word })),
      ...FUNCTIONS.filter(each => GLOBAL.includes(each)).map(each => ({
        name: each,
        after: '('
      }))
    ];
  }
  if (root === 'params') {
    return path.length === 1
      ? names.params.map(({ name: each, type }) => ({
          name: each,
          detail: type
        }))
      : [];
  }
  if (root === 'run') {
    return path.length === 1
      ? ['id', 'number', 'workflow', 'created'].map(each => ({ name: each }))
      : [];
  }
  if (root !== 'steps') {
    return [];
  }
  if (name === undefined) {
    return names.steps.map(step => ({ name: step.name, after: '.' }));
  }
  if (kind === undefined) {
    return SEEN;
  }
  const step = names.steps.find(each => each.name === name);
  if (recorded !== undefined) {
    return kind === 'checks' && path.length === 4
      ? ['passed', 'value'].map(each => ({ name: each }))
      : [];
  }
  switch (kind) {
    case 'outputs':
    case 'artifacts':
    case 'metrics':
      return (step?.[kind] ?? []).map(each => ({ name: each }));
    case 'checks':
      return (step?.checks ?? []).map(each => ({ name: each, after: '.' }));
    default:
      return [];
  }
}

/** Functions that stand for themselves; the others follow a value. */
const GLOBAL = ['size', 'string', 'int', 'double', 'timestamp', 'duration'];

/** Whether a text has been begun, and not ended. */
function isInText(before: string): boolean {
  const left = before.replace(/'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"/g, '');
  return /['"]/.test(left);
}
