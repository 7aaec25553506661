/** Regular expressions of the server, which are those of Rust, as JavaScript has them. */

const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}';

/** What JavaScript lets a backslash stand before. */
const SPECIAL = '^$\\.*+?()[]{}|/';

/** Whether a part of a text fits a pattern; null if the server would not take the pattern. */
export function matches(text: string, pattern: string): boolean | null {
  const [, flags = '', rest] = /^(?:\(\?([ims]+)\))?(.*)$/s.exec(pattern)!;
  const source = translated(rest);
  try {
    return source === null ? null : new RegExp(source, `${flags}u`).test(text);
  } catch {
    return null;
  }
}

function translated(pattern: string): string | null {
  let result = '';
  let isClass = false;
  for (let at = 0; at < pattern.length; at++) {
    const letter = pattern[at];
    const next = pattern[at + 1];
    if (letter === '\\' && next !== undefined) {
      at++;
      const escaped = escape(next, isClass);
      if (escaped === null) {
        return null;
      }
      result += escaped;
      continue;
    }
    if (!isClass && /^\(\?(?:[=!]|<[=!])/.test(pattern.slice(at, at + 4))) {
      return null; // linear in time is what looks at no other place
    }
    if (!isClass && pattern.startsWith('(?P<', at)) {
      result += '(?<';
      at += 3;
      continue;
    }
    isClass = letter === '[' ? true : isClass && letter !== ']';
    result += letter;
  }
  return result;
}

/** What a backslash and a letter mean; classes know all scripts. */
function escape(letter: string, isClass: boolean): string | null {
  switch (letter) {
    case 'w':
      return isClass ? WORD : `[${WORD}]`;
    case 'W':
      return isClass ? null : `[^${WORD}]`;
    case 'd':
      return '\\p{Nd}';
    case 'D':
      return '\\P{Nd}';
    default:
      if (/[1-9]/.test(letter)) {
        return null; // it remembers nothing
      }
      return SPECIAL.includes(letter) || /[A-Za-z0-9]/.test(letter)
        ? `\\${letter}`
        : letter === '-' && isClass
          ? '\\-'
          : letter;
  }
}
