import { ServerConnection } from '@jupyterlab/services';
import { describe, expect, it } from 'vitest';
import { ApiError, MLWFClient } from './client';

const BASE = 'http://localhost:8888/user/me/';

function serve(answer: (request: Request) => Response | Promise<Response>) {
  const requests: Request[] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: BASE,
    fetch: async request => {
      requests.push(request as Request);
      return answer(request as Request);
    }
  });
  return { client: new MLWFClient(settings), requests };
}

async function refusal(response: Response): Promise<ApiError> {
  const { client } = serve(() => response);
  const error = await client.getStatus().catch(reason => reason);
  expect(error).toBeInstanceOf(ApiError);
  return error;
}

function path({ url }: Request): string {
  // Lab adds the time to each request, so that no cache answers it.
  return url.slice(BASE.length).replace(/[?&]\d+$/, '');
}

describe('MLWFClient', () => {
  it('asks below the base URL, each part of the path encoded', async () => {
    const { client, requests } = serve(() => Response.json({ runs: [] }));
    await client.listRuns({ path: 'a b/c&d.mlwf', limit: 5 });
    await client.getNotebook('r/1', 'train', 2);
    await client.getNotebook('r1', 'train');
    expect(requests.map(path)).toEqual([
      'mlwf/v1/runs?path=a+b%2Fc%26d.mlwf&limit=5',
      'mlwf/v1/runs/r%2F1/steps/train/notebook?attempt=2',
      'mlwf/v1/runs/r1/steps/train/notebook'
    ]);
  });

  it('posts JSON, and tells of the runs that it started', async () => {
    const { client, requests } = serve(() =>
      Response.json({ id: 'r1' }, { status: 201 })
    );
    const started: string[] = [];
    client.runStarted.connect((_, { id }) => started.push(id));
    await client.startRun({ path: 'a.mlwf', parameters: { rate: 1 } });
    expect(requests[0].method).toBe('POST');
    expect(await requests[0].json()).toEqual({
      path: 'a.mlwf',
      parameters: { rate: 1 }
    });
    expect(started).toEqual(['r1']);
  });

  it('asks for runs and their steps to be stopped, paused, changed and retried', async () => {
    const { client, requests } = serve(() => Response.json({ id: 'r1' }));
    await client.stopRun('r1');
    await client.stopRun('r1', 'a b');
    await client.pauseRun('r1');
    await client.continueRun('r1');
    await client.changeParameters('r1', { rate: 1 });
    await client.retryRun('r1', { step: 'train' });
    await client.getLog('r1', 'train', { attempt: 2, after: 0 });
    expect(requests.map(path)).toEqual([
      'mlwf/v1/runs/r1/stop',
      'mlwf/v1/runs/r1/stop?step=a+b',
      'mlwf/v1/runs/r1/pause',
      'mlwf/v1/runs/r1/continue',
      'mlwf/v1/runs/r1/parameters',
      'mlwf/v1/runs/r1/retry',
      'mlwf/v1/runs/r1/steps/train/log?attempt=2&after=0'
    ]);
    const bodies = await Promise.all(
      requests.slice(0, 6).map(request => request.text())
    );
    expect(bodies.filter(Boolean).map(body => JSON.parse(body))).toEqual([
      { parameters: { rate: 1 } },
      { step: 'train' }
    ]);
  });

  it('hands on problem details', async () => {
    const problems = [{ code: 'c', place: 'p', message: 'm', mend: 'n' }];
    const details = {
      type: 'urn:mlwf:invalid-workflow',
      title: 'The workflow has a problem.',
      status: 422,
      code: 'invalid-workflow',
      problems
    };
    const error = await refusal(Response.json(details, { status: 422 }));
    expect(error.message).toBe('The workflow has a problem.');
    expect(error).toMatchObject({
      status: 422,
      code: 'invalid-workflow',
      problems
    });
  });

  it.each([
    [403, 'forbidden', /log in/],
    [404, 'no-extension', /does not have the jupyter_mlwf extension/],
    [500, 'server-error', /failed \(500\)/]
  ])('says in words what a %i means', async (status, code, words) => {
    const error = await refusal(new Response('<html>', { status }));
    expect(error).toMatchObject({ status, code });
    expect(error.message).toMatch(words);
  });

  it('says that the server cannot be reached', async () => {
    const { client } = serve(() => Promise.reject(new TypeError('failed')));
    const error = await client.getStatus().catch(reason => reason);
    expect(error).toMatchObject({ status: 0, code: 'unreachable' });
  });

  it('reads the clock of the server', async () => {
    const ahead = Date.now() + 3_600_000;
    const headers = { Date: new Date(ahead).toUTCString() };
    const { client } = serve(() => Response.json({}, { headers }));
    expect(client.now() - Date.now()).toBe(0);
    await client.getStatus();
    expect(Math.abs(client.now() - ahead)).toBeLessThan(60_000);
  });
});
