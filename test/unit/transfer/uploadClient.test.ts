import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { Pool } from 'undici';
import { createUploadClient } from '../../../shared/transfer/uploadClient.ts';

const signal = new AbortController().signal;
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(201).end();
});
const pools: Pool[] = [];

beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  server.close();
});

/** An upload host whose first connections fail as often as is said; `asked` is for which origins. */
function hostFailing(times: number) {
  const { port } = server.address() as AddressInfo; // It listens on TCP.
  const asked: string[] = [];
  const host = createUploadClient(async (origin) => {
    asked.push(origin);
    if (asked.length <= times) throw new Error('not loaded');
    const pool = new Pool(origin);
    pools.push(pool);
    return pool;
  });
  const put = async (name = '127.0.0.1') => {
    const address = { origin: `http://${name}:${port}`, path: "/AttachmentSessions('a')" };
    const { result } = await host.put(
      address,
      { first: 0, last: 0, total: 1 },
      Readable.from([Buffer.from('a')]),
      signal,
    );
    return await result;
  };
  return { asked, put };
}

const CREATED = { kind: 'response', response: expect.objectContaining({ status: 201 }) };

describe('createUploadHost', () => {
  it('tries again after its library could not be loaded', async () => {
    const { put, asked } = hostFailing(2);

    await expect(put()).rejects.toThrow('not loaded');
    await expect(put()).rejects.toThrow('not loaded');

    expect(await put()).toEqual(CREATED);
    expect(asked).toHaveLength(3);
  });

  it('keeps one pool for each origin', async () => {
    const { put, asked } = hostFailing(0);

    for (const name of ['127.0.0.1', 'localhost', '127.0.0.1', 'localhost']) expect(await put(name)).toEqual(CREATED);

    expect(asked).toHaveLength(2);
  });
});
