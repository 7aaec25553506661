import { describe, expect, it } from 'vitest';
import * as Y from 'yjs';
import table from '../../../tests/contract/documents.json';
import {
  connect,
  move,
  removeSteps,
  renameStep,
  setStep
} from '../model/edits';
import type { Workflow } from '../model/types';
import { YWorkflow } from './document';
import { WorkflowModel } from './model';

const TEXT = JSON.stringify({
  mlwf: 1,
  name: 'x',
  steps: {
    a: { notebook: 'a.ipynb' },
    b: { notebook: 'b.ipynb', parameters: { t: 1 }, mine: { kept: true } }
  },
  layout: { a: [0, 0], b: [320, 0] }
});

function open(text = TEXT): YWorkflow {
  const document = new YWorkflow();
  document.setSource(text);
  document.clearUndoHistory();
  return document;
}

/** Documents of two people, with what each did while they could not hear each other. */
function apart(
  one: (document: YWorkflow) => void,
  two: (document: YWorkflow) => void
): [YWorkflow, YWorkflow] {
  const mine = open();
  const theirs = new YWorkflow();
  Y.applyUpdate(theirs.ydoc, Y.encodeStateAsUpdate(mine.ydoc));
  one(mine);
  two(theirs);
  Y.applyUpdate(theirs.ydoc, Y.encodeStateAsUpdate(mine.ydoc));
  Y.applyUpdate(mine.ydoc, Y.encodeStateAsUpdate(theirs.ydoc));
  return [mine, theirs];
}

describe('a shared workflow', () => {
  it.each(table.documents.map(({ name, text }) => [name, text]))(
    'is written as it was read: %s',
    (_, text) => {
      expect(open(text).getSource()).toBe(text);
    }
  );

  it.each(table.broken.map(({ name, text }) => [name, text]))(
    'keeps a text that is none: %s',
    (_, text) => {
      const document = open(text);
      expect(document.workflow).toBeNull();
      expect(document.reading.problems).not.toHaveLength(0);
      document.edit(old => ({ ...old, name: 'overwritten' }));
      expect(document.getSource()).toBe(text);
    }
  );

  it('is an empty text as long as nothing was read', () => {
    const document = new YWorkflow();
    expect(document.getSource()).toBe('');
    expect(document.workflow).toBeNull();
    document.dispose();
  });

  it('undoes and redoes each edit by itself', () => {
    const document = open();
    const texts = [document.getSource()];
    const source = { kind: 'outputs', step: 'a', name: 'y' } as const;
    const steps: ((old: Workflow) => Workflow)[] = [
      old => connect(old, source, 'b', 't'),
      old => renameStep(old, 'a', 'first'),
      old => move(old, { b: { x: 10.4, y: -3 } }),
      old => removeSteps(old, ['first'])
    ];
    for (const step of steps) {
      document.edit(step);
      texts.push(document.getSource());
    }
    expect(new Set(texts).size).toBe(steps.length + 1);
    for (const text of texts.slice(0, -1).reverse()) {
      document.undo();
      expect(document.getSource()).toBe(text);
    }
    expect(document.canUndo()).toBe(false);
    for (const text of texts.slice(1)) {
      document.redo();
      expect(document.getSource()).toBe(text);
    }
  });

  it('does not undo what it was opened with', () => {
    const document = open();
    expect(document.canUndo()).toBe(false);
    document.edit(old => old);
    expect(document.canUndo()).toBe(false);
  });

  it('merges edits of several people field by field', () => {
    const [mine, theirs] = apart(
      document => document.edit(old => setStep(old, 'b', { title: 'Mine' })),
      document => {
        document.edit(old => setStep(old, 'b', { kernel: 'ir' }));
        document.edit(old => move(old, { a: { x: 5, y: 5 } }));
      }
    );
    expect(mine.getSource()).toBe(theirs.getSource());
    expect(mine.workflow).toMatchObject({
      steps: { b: { title: 'Mine', kernel: 'ir', mine: { kept: true } } },
      layout: { a: [5, 5] }
    });
  });

  it('keeps a step removed that somebody else edits', () => {
    const [mine, theirs] = apart(
      document => document.edit(old => removeSteps(old, ['b'])),
      document => document.edit(old => setStep(old, 'b', { title: 'Theirs' }))
    );
    expect(mine.getSource()).toBe(theirs.getSource());
    expect(Object.keys(mine.workflow!.steps!)).toEqual(['a']);
  });
});

describe('the model', () => {
  it('is dirty after an edit, and not after loading', () => {
    const model = new WorkflowModel();
    model.fromString(TEXT);
    expect(model.dirty).toBe(false);
    model.sharedModel.edit(old => ({ ...old, name: 'y' }));
    expect(model.dirty).toBe(true);
    expect(model.toString()).toContain('"name": "y"');
    model.dispose();
  });
});
