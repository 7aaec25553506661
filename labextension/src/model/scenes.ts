/** Edits of scenes: named parts of a workflow that can be run alone. */
import type { Items } from './items';
import { omit, renameKey } from './items';
import { freshName } from './names';
import type { Workflow } from './types';

/** Add a scene of some steps, under a fresh name. */
export function addScene(
  document: Workflow,
  steps: readonly string[]
): { document: Workflow; name: string } {
  const scenes = document.scenes ?? {};
  const name = freshName('scene', Object.keys(scenes));
  return {
    document: withScenes(document, {
      ...scenes,
      [name]: inOrder(document, steps)
    }),
    name
  };
}

export function renameScene(
  document: Workflow,
  from: string,
  to: string
): Workflow {
  return withScenes(document, renameKey(document.scenes ?? {}, from, to));
}

export function removeScene(document: Workflow, name: string): Workflow {
  return withScenes(document, omit(document.scenes ?? {}, new Set([name])));
}

/** Put a step into a scene, or take it out. Steps stand in the order of the document. */
export function setInScene(
  document: Workflow,
  scene: string,
  step: string,
  isIn: boolean
): Workflow {
  const old = document.scenes?.[scene] ?? [];
  const others = old.filter(name => name !== step);
  const steps = isIn ? inOrder(document, [...others, step]) : others;
  return withScenes(document, { ...document.scenes, [scene]: steps });
}

/** Names that are no steps stay, at the end: they are problems to be shown, not to be lost. */
function inOrder(document: Workflow, names: readonly string[]): string[] {
  const wanted = new Set(names);
  const known = Object.keys(document.steps ?? {});
  const steps = new Set(known);
  return [
    ...known.filter(name => wanted.has(name)),
    ...[...wanted].filter(name => !steps.has(name))
  ];
}

function withScenes(document: Workflow, scenes: Items<string[]>): Workflow {
  const { scenes: _, ...rest } = document;
  return Object.keys(scenes).length ? { ...document, scenes } : rest;
}
