import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ServiceError } from '../../../shared/errors.ts';
import { createRequestMatcher } from '../../../shared/server/requestMatcher.ts';
import { REQUEST_ID } from '../../support/builders.ts';

const TIMEOUT_MS = 50;

interface Arrival {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  /** What the caller gets. */
  readonly answer: Promise<{ status: number; retryAfter: string | undefined; body: string }>;
}

let server: Server;
let arrivals: ((arrival: Pick<Arrival, 'message' | 'response'>) => void)[];

beforeAll(async () => {
  server = createServer((message, response) => arrivals.shift()?.({ message, response }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
beforeEach(() => {
  arrivals = [];
});
afterAll(() => server.close());

/** A real request, as far as the server's listener. */
async function send(headers: Record<string, string>, path = '/api/any'): Promise<Arrival> {
  const arrived = new Promise<Pick<Arrival, 'message' | 'response'>>((resolve) => arrivals.push(resolve));
  const { port } = server.address() as AddressInfo;
  const outgoing = request({ port, host: '127.0.0.1', path, method: 'POST', agent: false, headers });
  const answer = once(outgoing, 'response').then(async ([incoming]: IncomingMessage[]) => {
    let body = '';
    for await (const chunk of incoming ?? []) body += chunk;
    return { status: incoming?.statusCode ?? 0, retryAfter: incoming?.headers['retry-after'], body };
  });
  outgoing.end('{}');
  return { ...(await arrived), answer };
}

const FORWARDED = { 'x-forwarded-host': 'proxy.example', 'x-forwarded-proto': 'http' };
const OF_INVOCATION = { ...FORWARDED, 'x-ms-invocation-id': REQUEST_ID };

describe('createProxiedRequests', () => {
  it.each(['the request', 'the invocation'])('pairs both where %s comes first', async (first) => {
    const requests = createRequestMatcher(TIMEOUT_MS);
    const { message, response } = await send(OF_INVOCATION);

    const waiting = first === 'the invocation' ? requests.requestOf(REQUEST_ID) : undefined;
    requests.arrive(message, response, false);
    const paired = await (waiting ?? requests.requestOf(REQUEST_ID));

    expect(paired?.response).toBe(response);
    expect(paired?.read).toMatchObject({
      kind: 'read',
      request: { method: 'POST', url: new URL('https://proxy.example/api/any') },
    });
    expect(requests.taken(REQUEST_ID)).toBe(paired?.read);
    expect(requests.unmatched).toBe(0);
    response.end();
  });

  it.each(['the request', 'the invocation'])(
    "ends both at once where a caller's own id joins them, %s first",
    async (first) => {
      const requests = createRequestMatcher(60_000);
      const { message, response, answer } = await send({ ...FORWARDED, 'x-ms-invocation-id': 'zzz' });

      const waiting = first === 'the invocation' ? requests.requestOf(REQUEST_ID, () => 'zzz') : undefined;
      requests.arrive(message, response, false);
      const paired = await (waiting ?? requests.requestOf(REQUEST_ID, () => 'zzz'));

      expect(paired).toBeUndefined();
      expect(await answer).toMatchObject({ status: 400, body: expect.stringContaining('"InvalidRequest"') });
      expect(requests.unmatched).toBe(2);
    },
  );

  it('gives an invocation its own request, whatever id its body claims', async () => {
    const requests = createRequestMatcher(TIMEOUT_MS);
    const { message, response } = await send(OF_INVOCATION);

    const waiting = requests.requestOf(REQUEST_ID, () => 'zzz');
    requests.arrive(message, response, false);

    expect((await waiting)?.response).toBe(response);
    response.end();
  });

  it("keeps an invocation's request from another that claims its id", async () => {
    const requests = createRequestMatcher(TIMEOUT_MS);
    const { message, response } = await send(OF_INVOCATION);

    const waiting = requests.requestOf(REQUEST_ID);
    const claiming = requests.requestOf('3c5a7e90-1b2d-4f68-8a9c-0d1e2f3a4b5c', () => REQUEST_ID);
    requests.arrive(message, response, false);

    expect((await waiting)?.response).toBe(response);
    expect(await claiming).toBeUndefined();
    response.end();
  });

  it.each([
    ["503 with Retry-After if the id is the host's", REQUEST_ID, 503, 'RequestNotDelivered', '5'],
    ['400 if only the caller can have sent the id', 'zzz', 400, 'InvalidRequest', undefined],
  ])('answers a request whose invocation does not come in time %s', async (_, id, status, code, retryAfter) => {
    const requests = createRequestMatcher(TIMEOUT_MS);
    const { message, response, answer } = await send({ ...FORWARDED, 'x-ms-invocation-id': id });

    requests.arrive(message, response, false);

    expect(await answer).toMatchObject({ status, retryAfter, body: expect.stringContaining(`"${code}"`) });
    expect(requests.unmatched).toBe(1);
  });

  it('answers a request without an id 503', async () => {
    const requests = createRequestMatcher(TIMEOUT_MS);
    const { message, response, answer } = await send(FORWARDED);

    requests.arrive(message, response, false);

    expect(await answer).toMatchObject({ status: 503 });
  });

  it('gives up an invocation whose request does not come in time', async () => {
    const requests = createRequestMatcher(TIMEOUT_MS);

    expect(await requests.requestOf(REQUEST_ID)).toBeUndefined();
    expect(requests.unmatched).toBe(1);
  });

  it('ends several requests under one id, each with an invocation', async () => {
    const requests = createRequestMatcher(60_000);
    const first = await send({ ...FORWARDED, 'x-ms-invocation-id': 'zzz' });
    const second = await send({ ...FORWARDED, 'x-ms-invocation-id': 'zzz' });

    requests.arrive(first.message, first.response, false);
    requests.arrive(second.message, second.response, false);
    const paired = await Promise.all(['a', 'b'].map((id) => requests.requestOf(id, () => 'zzz')));

    expect(paired).toEqual([undefined, undefined]);
    expect([(await first.answer).status, (await second.answer).status]).toEqual([400, 400]);
    expect(requests.unmatched).toBe(4);
  });

  it("answers the host's repetition of a request 503 with Retry-After while the first one is under way", async () => {
    const requests = createRequestMatcher(TIMEOUT_MS);
    const first = await send(OF_INVOCATION);
    const second = await send(OF_INVOCATION);
    requests.arrive(first.message, first.response, false);
    await requests.requestOf(REQUEST_ID);

    requests.arrive(second.message, second.response, false);

    expect(await second.answer).toMatchObject({
      status: 503,
      retryAfter: '5',
      body: expect.stringContaining('"RequestNotDelivered"'),
    });
    first.response.end();
  });

  it('answers requests that wait and later ones with the error that closes the app', async () => {
    const requests = createRequestMatcher(60_000);
    const first = await send(OF_INVOCATION);
    const second = await send(FORWARDED);
    requests.arrive(first.message, first.response, false);

    requests.refuseAll(new ServiceError('PlatformNotSupported', 'Closed.'));
    requests.arrive(second.message, second.response, false);

    for (const { answer } of [first, second]) {
      expect(await answer).toMatchObject({ status: 503, body: expect.stringContaining('"PlatformNotSupported"') });
    }
  });

  it('gives a request with an impossible address as faulty', async () => {
    const requests = createRequestMatcher(TIMEOUT_MS);
    const { message, response } = await send({ ...OF_INVOCATION, 'x-forwarded-host': 'a b' });

    requests.arrive(message, response, false);

    expect(await requests.requestOf(REQUEST_ID)).toMatchObject({
      read: { kind: 'faulty', fault: { code: 'InvalidRequest' } },
    });
    response.end();
  });

  it('knows an invocation only until it has ended', async () => {
    const requests = createRequestMatcher(TIMEOUT_MS);
    const { message, response } = await send(OF_INVOCATION);
    requests.arrive(message, response, false);
    await requests.requestOf(REQUEST_ID);

    requests.end(REQUEST_ID);

    expect(() => requests.taken(REQUEST_ID)).toThrow(TypeError);
    response.end();
  });
});
