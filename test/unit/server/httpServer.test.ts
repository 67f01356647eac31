import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { createHttpServer } from '../../../shared/server/httpServer.ts';

const unexpected = (error: Error) => {
  throw error;
};

describe('createHttpServer', () => {
  it('listens only on the loopback interface, on one port however often it is asked', async () => {
    const server = createHttpServer({ onRequest: (_message, response) => response.end(), onError: unexpected });

    const url = await server.listen();

    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(await server.listen()).toBe(url);
    expect((await fetch(url)).status).toBe(200);
    // Another address of the same interface: a server on all interfaces would accept it.
    const [error] = await once(connect(Number(new URL(url).port), '127.0.0.2'), 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    server.close();
  });

  it('lets the app answer before it asks for the body', async () => {
    const server = createHttpServer({
      onRequest: (_message, response, expectsContinue) => response.writeHead(expectsContinue ? 415 : 500).end(),
      onError: unexpected,
    });
    const outgoing = request(await server.listen(), { method: 'POST', headers: { expect: '100-continue' } });
    const isContinued = jest.fn();
    outgoing.on('continue', isContinued).flushHeaders();

    const [answer] = await once(outgoing, 'response');

    expect([answer.statusCode, isContinued.mock.calls.length]).toEqual([415, 0]);
    outgoing.destroy();
    server.close();
  });

  it('accepts no connection and keeps none once it is closed', async () => {
    const server = createHttpServer({ onRequest: (_message, response) => response.end(), onError: unexpected });
    const url = await server.listen();
    const idle = connect(Number(new URL(url).port), '127.0.0.1');
    idle.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(idle, 'data');

    server.close();

    await once(idle.resume(), 'close');
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });
});
