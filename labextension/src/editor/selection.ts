/** Ids of the nodes on the canvas: of a step its name, of anything else a text that no step is called. */
import type { ISelection } from './editor';

/** No name of a step has a space. */
export const NOTE = 'note ';
export const GROUP = 'group ';

/** Ids of the nodes that are selected. */
export function idsOf({ steps, notes }: ISelection): string[] {
  return [...steps, ...notes.map(name => NOTE + name)];
}

/** What is selected when these nodes are. */
export function selectionOf(
  ids: readonly string[]
): Pick<ISelection, 'steps' | 'notes'> {
  const isNote = (id: string) => id.startsWith(NOTE);
  return {
    steps: ids.filter(id => !isNote(id)),
    notes: ids.filter(isNote).map(id => id.slice(NOTE.length))
  };
}
