import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { LookupFunction } from 'node:net';
import { Agent } from 'undici';
import { listen } from '../../local/listen.ts';
import type { HttpInputs, WorkflowAction } from '../support/workflow/readDefinition.ts';
import { type ActionOutcome, sendAction } from '../support/workflow/sendAction.ts';

const toLoopback: LookupFunction = (_host, { all }, callback) =>
  all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4);
const dispatcher = new Agent({ connect: { lookup: toLoopback } });
const CONTENT = 'x'.repeat(2500);

interface Seen {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let seen: Seen[] = [];
let respond: RequestListener = (_request, response) => response.end();
let origin: string;
let close: () => Promise<void>;

beforeAll(async () => {
  const server = createServer(async (request, response) => {
    const { method = '', headers } = request;
    const chunks: Buffer[] = await request.toArray();
    seen.push({ method, headers, body: Buffer.concat(chunks).toString() });
    respond(request, response);
  });
  const listener = await listen(server);
  origin = `http://server.contoso.example:${listener.port}`;
  close = listener.close;
});
beforeEach(() => {
  seen = [];
});
afterAll(async () => {
  await dispatcher.close();
  await close();
});

/** Answers as the page on large messages demands, with what a test changes. */
function serveChunks(changes: {
  readonly opening?: Readonly<Record<string, string | undefined>>;
  readonly openingStatus?: number;
  readonly chunk?: Readonly<Record<string, string | undefined>>;
  readonly chunkStatus?: number;
  readonly body?: string;
}): void {
  respond = ({ method, headers }, response) => {
    const isOpening = method === 'POST';
    const last = Number(/-(\d+)\//.exec(headers['content-range'] ?? '')?.[1]);
    const named = isOpening
      ? { location: `${origin}/uploads/1`, 'x-ms-chunk-size': '1000', ...changes.opening }
      : { range: `bytes=0-${last}`, 'content-type': 'application/json', ...changes.chunk };
    for (const [name, value] of Object.entries(named)) if (value !== undefined) response.setHeader(name, value);
    response.statusCode = (isOpening ? changes.openingStatus : changes.chunkStatus) ?? 200;
    response.end(isOpening ? '' : (changes.body ?? '{"id":"1"}'));
  };
}

/** Sends CONTENT as an HTTP action does. */
function send({
  isChunked = true,
  body = "@body('Get_file')",
  headers = {},
  retries = 0,
} = {}): Promise<ActionOutcome> {
  const inputs: HttpInputs = {
    method: 'POST',
    uri: `${origin}/files`,
    headers,
    body: CONTENT,
    authentication: { type: 'ManagedServiceIdentity', audience: 'api://server' },
    retryPolicy: retries === 0 ? { type: 'none' } : { type: 'fixed', count: retries },
  };
  const action: WorkflowAction = {
    type: 'Http',
    inputs: { ...inputs, body },
    runAfter: {},
    ...(isChunked && { runtimeConfiguration: { contentTransfer: { transferMode: 'Chunked' } } }),
  };
  return sendAction(action, inputs, {
    ids: { runId: 'run', actionName: 'Send', trackingId: 'tracking' },
    habits: {},
    token: async (audience) => `token for ${audience}`,
    connectionUrl: () => '',
    dispatcher,
  });
}

test('opens without a body, sends ranges in order, and gives the last answer as its output', async () => {
  serveChunks({});

  const outcome = await send();

  expect(outcome).toMatchObject({ status: 'Succeeded', outputs: { statusCode: 200, body: { id: '1' } } });
  expect(seen.map(({ method, body }) => [method, body.length])).toEqual([
    ['POST', 0],
    ['PATCH', 1000],
    ['PATCH', 1000],
    ['PATCH', 500],
  ]);
  expect(seen[0]?.headers).toMatchObject({ 'x-ms-transfer-mode': 'chunked', 'x-ms-content-length': '2500' });
  expect(seen.map(({ headers }) => headers['content-range'])).toEqual([
    undefined,
    'bytes 0-999/2500',
    'bytes 1000-1999/2500',
    'bytes 2000-2499/2500',
  ]);
});

test('drops headers of the author, repeats none of the rest on the chunks, but the authentication', async () => {
  serveChunks({});

  await send({
    headers: { 'Content-Range': 'x', Cookie: 'x', 'Content-Disposition': 'kept', 'x-functions-key': 'kept' },
  });

  const [opening, ...chunks] = seen.map(({ headers }) => headers);
  expect(opening).toMatchObject({ 'content-disposition': 'kept', 'x-functions-key': 'kept' });
  expect(opening).not.toHaveProperty('content-range');
  expect(opening).not.toHaveProperty('cookie');
  for (const headers of chunks) {
    expect(headers).toMatchObject({ authorization: 'Bearer token for api://server' });
    expect(headers).not.toHaveProperty('x-functions-key');
  }
});

test.each([
  ['without chunking', { isChunked: false }],
  ['a body that is not the whole output of an action', { body: "@concat(body('Get_file'))" }],
])('sends %s at once, without saying how long it is', async (_what, options) => {
  serveChunks({});

  await send(options);

  expect(seen.map(({ method, body }) => [method, body])).toEqual([['POST', CONTENT]]);
  expect(seen[0]?.headers).not.toHaveProperty('content-length');
});

test.each([
  ['an opening without Location', { opening: { location: undefined } }],
  ['a relative Location', { opening: { location: '/uploads/1' } }],
  ['a Location on localhost', { opening: { location: 'http://localhost:7071/uploads/1' } }],
  ['a Location on the loopback address', { opening: { location: 'https://127.0.0.1/uploads/1' } }],
  ['a Location on a UNC path', { opening: { location: '\\\\server\\uploads' } }],
  ['an escaped Location', { opening: { location: 'https://server.contoso.example/uploads%2F1' } }],
  ['a chunk size that is none', { opening: { 'x-ms-chunk-size': '0' } }],
  ['an opening with 202', { openingStatus: 202 }],
  ['a chunk with 201', { chunkStatus: 201 }],
])('fails on %s', async (_what, changes) => {
  serveChunks(changes);

  expect(await send()).toMatchObject({ status: 'Failed', error: { code: 'InvalidProtocolResponse' } });
});

test.each([
  ['no Range', undefined],
  ['a Content-Range in its place', 'bytes 0-999/2500'],
  ['the range of the last chunk alone', 'bytes=1000-1999'],
  ['more than was sent', 'bytes=0-2499'],
])('fails on %s after a chunk', async (_what, range) => {
  serveChunks({ chunk: { range } });

  expect(await send()).toMatchObject({ status: 'Failed', error: { code: 'InvalidContentRangeHeader' } });
});

test('fails on an answer that says it is JSON and is not', async () => {
  serveChunks({ body: 'done' });

  expect(await send()).toMatchObject({ status: 'Failed', error: { code: 'BadRequest' } });
});

test.each([
  [0, 1],
  [2, 3],
])('with %d retries sends what is answered 503 %d times', async (retries, times) => {
  serveChunks({ openingStatus: 503 });

  expect(await send({ retries })).toMatchObject({ status: 'Failed', outputs: { statusCode: 503 } });
  expect(seen).toHaveLength(times);
});

test('does not repeat what is answered 400', async () => {
  serveChunks({ openingStatus: 400 });

  expect(await send({ retries: 4 })).toMatchObject({ status: 'Failed', outputs: { statusCode: 400 } });
  expect(seen).toHaveLength(1);
});
