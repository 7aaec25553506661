/** Names of workflows, steps and parameters: the rule of `core/workflow.py`. */
export const NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

const MAX_LENGTH = 64;

/** A valid name that resembles a text, such as the name of a file. */
export function toName(text: string, otherwise: string): string {
  const name = text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/^[^A-Za-z]+/, '')
    .replace(/_+$/, '')
    .slice(0, MAX_LENGTH);
  return name || otherwise;
}

/** The name itself if nothing has it, or else with a number behind it. */
export function freshName(name: string, taken: Iterable<string>): string {
  const names = new Set(taken);
  let fresh = name;
  for (let number = 2; names.has(fresh); number++) {
    const suffix = `_${number}`;
    fresh = name.slice(0, MAX_LENGTH - suffix.length) + suffix;
  }
  return fresh;
}

/** Why a thing cannot be called that, in words; null if it can. */
export function complainName(
  name: string,
  taken: Iterable<string>
): string | null {
  if (!NAME.test(name)) {
    return 'Use up to 64 letters, digits, - and _, and start with a letter.';
  }
  return new Set(taken).has(name) ? `'${name}' exists already.` : null;
}
