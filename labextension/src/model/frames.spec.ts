import { expect, it } from 'vitest';
import { parse, write } from './codec';
import { removeSteps, renameStep } from './edits';
import {
  addGroup,
  addNote,
  groupsOf,
  moveNotes,
  removeGroups,
  removeNotes,
  resizeNote,
  titleGroup,
  writeNote
} from './frames';
import type { Workflow } from './types';

const PLAIN: Workflow = {
  mlwf: 1,
  name: 'plain',
  steps: Object.fromEntries(
    [...'abc'].map(name => [name, { notebook: `${name}.ipynb` }])
  )
};

it('groups are made, titled, follow their steps and are undone', () => {
  const { document, name } = addGroup(PLAIN, ['c', 'a', 'gone']);
  expect(document.groups).toEqual({ group: { steps: ['a', 'c'] } });
  const titled = titleGroup(document, name, ' Data ');
  expect(titled.groups).toEqual({
    group: { title: 'Data', steps: ['a', 'c'] }
  });
  expect(titleGroup(titled, name, '')).toEqual(document);
  const second = addGroup(titled, ['a', 'b']).document;
  expect(second.groups).toEqual({
    group: { title: 'Data', steps: ['c'] },
    group_2: { steps: ['a', 'b'] }
  });
  expect(groupsOf(second, ['b'])).toEqual(['group_2']);
  expect(renameStep(second, 'a', 'z').groups!.group_2.steps).toEqual([
    'z',
    'b'
  ]);
  expect(Object.keys(removeSteps(second, ['c']).groups!)).toEqual(['group_2']);
  expect(removeGroups(second, ['group', 'group_2'])).toEqual(PLAIN);
});

it('notes are written, moved, sized and removed', () => {
  const { document, name } = addNote(PLAIN, { x: 1.4, y: -0.2 });
  expect(document.notes).toEqual({ note: { text: '', at: [1, 0] } });
  const text = '# <img src=x onerror=alert(1)> ' + '"'.repeat(3);
  const written = writeNote(document, name, text);
  const sized = resizeNote(
    moveNotes(written, { [name]: { x: 5, y: 6 }, gone: { x: 0, y: 0 } }),
    name,
    { x: 4, y: 6 },
    { width: 10, height: 90.4 }
  );
  expect(sized.notes).toEqual({
    note: { text, at: [4, 6], size: [40, 90] }
  });
  expect(parse(write(sized)).document).toEqual(sized);
  expect(writeNote(sized, name, ' ')).toEqual(PLAIN);
  expect(removeNotes(sized, [name])).toEqual(PLAIN);
});
