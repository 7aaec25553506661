/** Edits of what a run as a whole results in. */
import type { Items } from './items';
import { omit, renameKey } from './items';
import { freshName } from './names';
import type { Argument, Workflow } from './types';

/** Add an output under a fresh name. */
export function addOutput(
  document: Workflow,
  argument: Argument,
  wish: string
): { document: Workflow; name: string } {
  const name = freshName(wish, Object.keys(document.outputs ?? {}));
  return { document: setOutput(document, name, argument), name };
}

export function setOutput(
  document: Workflow,
  name: string,
  argument: Argument
): Workflow {
  return withOutputs(document, { ...document.outputs, [name]: argument });
}

export function renameOutput(
  document: Workflow,
  from: string,
  to: string
): Workflow {
  return withOutputs(document, renameKey(document.outputs ?? {}, from, to));
}

export function removeOutput(document: Workflow, name: string): Workflow {
  return withOutputs(document, omit(document.outputs ?? {}, new Set([name])));
}

function withOutputs(document: Workflow, outputs: Items<Argument>): Workflow {
  const { outputs: _, ...rest } = document;
  return Object.keys(outputs).length ? { ...document, outputs } : rest;
}
