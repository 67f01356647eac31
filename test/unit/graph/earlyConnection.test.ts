import { once } from 'node:events';
import { createServer, connect as netConnect, type Server, type Socket } from 'node:net';
import { KEEP_ALIVE_MS } from '../../../shared/common/limits.ts';
import { openEarly } from '../../../shared/graph/earlyConnection.ts';

let server: Server;
let accepted: Socket[];
let origin: string;

beforeEach(async () => {
  accepted = [];
  server = createServer((socket) => accepted.push(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  origin = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterEach(() => {
  for (const socket of accepted) socket.destroy();
  server.close();
  jest.restoreAllMocks();
});

/** As undici's connector, over plain TCP. */
const connect: Parameters<typeof openEarly>[0] = ({ hostname, port }, callback) => {
  const socket = netConnect(Number(port), hostname);
  socket.once('connect', () => callback(null, socket));
  socket.once('error', (error) => callback(error, null));
};

describe('openEarly', () => {
  it('gives the connection that it has opened', async () => {
    const socket = await openEarly(connect, origin).take();

    expect(socket?.writable).toBe(true);
    socket?.destroy();
  });

  it('gives none where it cannot be opened', async () => {
    server.close();
    await once(server, 'close');

    expect(await openEarly(connect, origin).take()).toBeUndefined();
  });

  it.each(['end', 'resetAndDestroy'] as const)('gives none that the other side has closed (%s)', async (how) => {
    const early = openEarly(connect, origin);
    while (accepted.length === 0) await new Promise(setImmediate);

    accepted[0]?.[how]();
    await new Promise((resolve) => setTimeout(resolve, 50));

    expect(await early.take()).toBeUndefined();
  });

  it('gives none that has been idle for as long as one is kept', async () => {
    const early = openEarly(connect, origin);
    const now = performance.now();
    jest.spyOn(performance, 'now').mockReturnValue(now + KEEP_ALIVE_MS);

    expect(await early.take()).toBeUndefined();
  });
});
