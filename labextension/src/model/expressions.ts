/** What expressions in CEL look at, read from their text as `core/expressions.py` does it. */

const TOKEN =
  /(?<number>0[xX][0-9a-fA-F]+u?|(?<![A-Za-z0-9_])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?u?|(?<![A-Za-z0-9_)\]\s]\s*)\.\d+(?:[eE][+-]?\d+)?)|(?<text>[rRbB]{0,2}(?:"""(?:\\.|[^\\])*?"""|'''(?:\\.|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))|(?<name>[A-Za-z_][A-Za-z0-9_]*)|(?<space>\s+|\/\/[^\n]*)|(?<sign>.)/gs;

/** What an expression may begin with. */
export const VARIABLES = ['params', 'steps', 'run', 'item', 'index'];

export interface IToken {
  kind: string;
  word: string;
  start: number;
  end: number;
}

/** What follows `steps` or `params`: `steps.train.metrics.auc` has the path `train`, `metrics`, `auc`. */
export interface IMember {
  root: string;
  path: string[];
  /** Where the first part of the path is in the text, with its dot or brackets. */
  start: number;
  end: number;
}

/** The words of an expression, without the space between them. */
export function tokensOf(text: string): IToken[] {
  return [...text.matchAll(TOKEN)]
    .map((match): IToken => {
      const found = Object.entries(match.groups!).find(([, word]) => word);
      const start = match.index;
      const end = start + match[0].length;
      return { kind: found?.[0] ?? '', word: match[0], start, end };
    })
    .filter(({ kind }) => kind !== 'space');
}

/** What an expression names of steps and parameters. */
export function membersOf(text: string): IMember[] {
  const tokens = tokensOf(text);
  return tokens.flatMap(({ kind, word, end }, at) => {
    const isRoot =
      kind === 'name' &&
      VARIABLES.includes(word) &&
      tokens[at - 1]?.word !== '.';
    if (!isRoot || (word !== 'params' && word !== 'steps')) {
      return [];
    }
    const { path, end: last } = pathAt(tokens, at + 1);
    return [{ root: word, path, start: end, end: last ?? end }];
  });
}

function pathAt(
  tokens: IToken[],
  at: number
): { path: string[]; end: number | null } {
  const path: string[] = [];
  let end: number | null = null;
  for (;;) {
    const [first, second, third] = tokens.slice(at, at + 3);
    if (first?.word === '.' && second?.kind === 'name') {
      path.push(second.word);
      end ??= second.end;
      at += 2;
    } else if (
      first?.word === '[' &&
      second?.kind === 'text' &&
      third?.word === ']'
    ) {
      path.push(unquoted(second.word));
      end ??= third.end;
      at += 3;
    } else {
      return { path, end };
    }
  }
}

function unquoted(text: string): string {
  return text.replace(/^[rRbB]+|[rRbB]+$/g, '').replace(/^["']+|["']+$/g, '');
}

/** The steps, or the parameters of the workflow, that an expression names, each once. */
export function namesIn(text: string, root: 'steps' | 'params'): string[] {
  const found = membersOf(text).filter(
    member => member.root === root && member.path.length
  );
  return [...new Set(found.map(({ path }) => path[0]))];
}

/** The expression with steps, or parameters of the workflow, under other names. */
export function renamedIn(
  text: string,
  root: 'steps' | 'params',
  names: ReadonlyMap<string, string>
): string {
  const wanted = membersOf(text).filter(
    member => member.root === root && names.has(member.path[0])
  );
  return wanted.reduceRight((result, { path, start, end }) => {
    const to = names.get(path[0])!;
    const written = IDENTIFIER.test(to) ? `.${to}` : `['${to}']`;
    return result.slice(0, start) + written + result.slice(end);
  }, text);
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;
