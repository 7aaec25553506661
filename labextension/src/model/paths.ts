/** A path that leads from another folder to the same file. The folders are relative to the workspace. */
export function rebase(path: string, from: string, to: string): string {
  if (from === to) {
    return path;
  }
  const target = [...parts(from)];
  for (const part of path.split('/')) {
    if (part === '..' && target.length && target[target.length - 1] !== '..') {
      target.pop();
    } else if (part !== '.' && part !== '') {
      target.push(part);
    }
  }
  const base = parts(to);
  let shared = 0;
  while (
    shared < base.length &&
    shared < target.length - 1 &&
    base[shared] === target[shared] &&
    base[shared] !== '..'
  ) {
    shared++;
  }
  const up = base.slice(shared).map(() => '..');
  return [...up, ...target.slice(shared)].join('/');
}

function parts(folder: string): string[] {
  return folder.split('/').filter(part => part !== '' && part !== '.');
}
