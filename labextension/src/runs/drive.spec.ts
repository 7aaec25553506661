import { ContentsManager } from '@jupyterlab/services';
import { describe, expect, it, vi } from 'vitest';
import { ApiError, type MLWFClient } from '../api/client';
import { ExecutedDrive, executedPath } from './drive';

const NOTEBOOK = {
  cells: [
    {
      cell_type: 'code',
      metadata: { trusted: true, tags: ['parameters'] },
      source: ['a = 1\n', 'a'],
      execution_count: 1,
      outputs: [
        { output_type: 'stream', name: 'stdout', text: ['x\n', 'y'] },
        {
          output_type: 'display_data',
          metadata: {},
          data: {
            'text/html': ['<b>', '</b>'],
            'application/vnd.mlwf.record+json': ['kept', 'as it is'],
            'image/png': 'AAAA'
          }
        }
      ]
    },
    { cell_type: 'markdown', metadata: {}, source: '# Title' }
  ],
  metadata: {},
  nbformat: 4,
  nbformat_minor: 5
};

function drive(client: object = {}) {
  const getNotebook = vi.fn(async () => NOTEBOOK);
  const contents = new ContentsManager();
  contents.addDrive(
    new ExecutedDrive({ getNotebook, ...client } as unknown as MLWFClient)
  );
  return { contents, getNotebook };
}

describe('ExecutedDrive', () => {
  it.each([
    [{ run: 'r1', step: 'train' }, ['r1', 'train', undefined]],
    [{ run: 'r1', step: 'train', attempt: 2 }, ['r1', 'train', 2]]
  ])(
    'reads the notebook that the path of %o names',
    async (executed, asked) => {
      const { contents, getNotebook } = drive();
      const path = executedPath(executed, 'Train: a/b · run 1');
      const { writable, type, name } = await contents.get(path);
      expect(getNotebook).toHaveBeenCalledWith(...asked);
      expect({ writable, type, name }).toEqual({
        writable: false,
        type: 'notebook',
        name: 'Train  a b · run 1'
      });
    }
  );

  it('joins text, trusts nothing, and lets no cell be edited', async () => {
    const { contents } = drive();
    const { content } = await contents.get('mlwf:r1/train/t');
    const locked = { trusted: false, editable: false, deletable: false };
    const [code, text] = content.cells;
    expect(code.source).toBe('a = 1\na');
    expect(code.metadata).toEqual({ tags: ['parameters'], ...locked });
    expect(code.outputs[0].text).toBe('x\ny');
    expect(code.outputs[1].data).toEqual({
      'text/html': '<b></b>',
      'application/vnd.mlwf.record+json': ['kept', 'as it is'],
      'image/png': 'AAAA'
    });
    expect(text).toMatchObject({ source: '# Title', metadata: locked });
    expect(text).not.toHaveProperty('outputs');
  });

  it('lets nobody write', async () => {
    const { contents } = drive();
    const path = 'mlwf:r1/train/t';
    await expect(contents.save(path, {})).rejects.toThrow(/only be read/);
    await expect(contents.rename(path, 'mlwf:r1/x')).rejects.toThrow();
    await expect(contents.delete(path)).rejects.toThrow();
  });

  it.each([
    ['running', true],
    ['failed', false]
  ])(
    'of a step that is %s waits for the notebook: %s',
    async (state, waits) => {
      const { contents } = drive({
        getNotebook: () =>
          Promise.reject(new ApiError('No.', 404, 'not-found')),
        getRun: async () => ({ steps: { train: { state } } })
      });
      const opened = contents.get('mlwf:r1/train/t');
      await (waits
        ? expect(opened).resolves.toMatchObject({ writable: false })
        : expect(opened).rejects.toThrow('No.'));
    }
  );
});
