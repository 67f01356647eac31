import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'undici';
import { httpRequest } from '../../../shared/graph/httpRequest.ts';

let server: Server;
let pool: Pool;
/** How many connections of the pool have gone. */
let gone: number;

/** Answers `/soon` at once, `/large` with more than an answer may have, and nothing else ever. */
beforeAll(async () => {
  server = createServer(({ url }, response) => {
    if (url === '/soon') response.end('{}');
    if (url === '/large') response.end(Buffer.alloc(6 * 1024 * 1024));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
beforeEach(() => {
  gone = 0;
  pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  pool.on('disconnect', () => {
    gone += 1;
  });
});
afterEach(() => pool.destroy());
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const send = (path: string, signal: AbortSignal) => httpRequest(pool, { method: 'GET', path }, signal);

/** Sends requests that hang, and gives what aborts each of them. */
async function hang(count: number) {
  const calls = Array.from({ length: count }, () => {
    const controller = new AbortController();
    const { released, result } = send('/never', controller.signal);
    return { abort: () => controller.abort(new Error('given up')), result, goneAtRelease: released.then(() => gone) };
  });
  for (let arrived = 0; arrived < count; arrived += 1) await once(server, 'request');
  return calls;
}

describe('dispatch', () => {
  it('reads an answer whole, and holds nothing after it', async () => {
    const { result, released } = send('/soon', new AbortController().signal);

    expect(await result).toMatchObject({ kind: 'response', response: { status: 200, body: '{}' } });
    await released;
    expect(gone).toBe(0);
  });

  it('is released when its own connection has gone, not when another has', async () => {
    const calls = await hang(3);
    for (const { abort } of calls) abort();

    expect(await Promise.all(calls.map(({ goneAtRelease }) => goneAtRelease))).toEqual([1, 2, 3]);
    expect(await Promise.all(calls.map(({ result }) => result))).toEqual(
      Array(3).fill({ kind: 'failed', phase: 'beforeResponse', cause: new Error('given up') }),
    );
  });

  it('is released with its connection where the answer is too large', async () => {
    const { result, released } = send('/large', new AbortController().signal);

    expect(await result).toMatchObject({ kind: 'failed', phase: 'inResponse' });
    expect(await released.then(() => gone)).toBe(1);
  });

  it('holds nothing where it is given up before it is sent', async () => {
    const { result, released } = send('/never', AbortSignal.abort(new Error('too late')));

    expect(await result).toMatchObject({ kind: 'failed', cause: new Error('too late') });
    await released;
  });
});
