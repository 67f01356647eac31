import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { ADELE } from '../../local/emulators/seed.ts';
import { expectGraphError, type Site, startSite } from '../support/site.ts';
import { fileOf, type TestFile } from '../support/uploads.ts';

const [messageId] = ADELE.items.message;
const MESSAGE = `me/messages/${messageId}/attachments`;

let site: Site;

beforeAll(async () => {
  site = await startSite({
    storage: true,
    settings: { ALLOW_ANY_MAILBOX: 'true' },
    graph: { appOnlyFamilies: 'all' },
  });
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

interface Sent {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Sends bytes chunked, or with their length. */
function send(path: string, bytes: Buffer, headers: Record<string, string> = {}, isChunked = false): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const framing = isChunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(bytes.byteLength) };
    const outgoing = request(`${site.api}/${path}`, {
      method: 'POST',
      headers: { ...framing, ...headers },
      agent: false,
    });
    outgoing.once('error', reject);
    outgoing.once('response', async (incoming) => {
      let body = '';
      for await (const chunk of incoming) body += chunk;
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body });
    });
    outgoing.end(bytes);
  });
}

function attachments(itemId: string = messageId) {
  return site.graph.attachments(ADELE.id, itemId);
}

/** Within a second of the answer, or of the caller's leaving. */
async function sessionEnds(): Promise<void> {
  const isEnded = () => site.graph.requests.some(({ method, status }) => method === 'DELETE' && status === 204);
  for (let attempt = 0; attempt < 50 && !isEnded(); attempt++) await delay(20);
  expect(isEnded()).toBe(true);
}

async function sendChunks(location: string, { bytes }: TestFile): Promise<Response> {
  for (let first = 0; ; first += 3_932_160) {
    const last = Math.min(first + 3_932_160, bytes.byteLength) - 1;
    const headers = { 'content-range': `bytes ${first}-${last}/${bytes.byteLength}` };
    const answer = await fetch(location, { method: 'PATCH', headers, body: bytes.subarray(first, last + 1) });
    if (last + 1 === bytes.byteLength) return answer;
    expect([answer.status, answer.headers.get('range')]).toEqual([200, `bytes=0-${last}`]);
  }
}

test('takes a small chunked file without a size, and asks for the size of a large one', async () => {
  const small = fileOf(2_999_999);
  const large = fileOf(3_000_000);

  const taken = await send(`${MESSAGE}?name=a`, small.bytes, {}, true);
  const refused = await send(`${MESSAGE}?name=a`, large.bytes, {}, true);

  expect(taken.status).toBe(201);
  await expectGraphError(new Response(refused.body, { status: refused.status }), 411, 'LengthRequired');
  expect(attachments()).toHaveLength(1);
});

test.each([
  ['more', 1],
  ['fewer', -1],
])('attaches nothing and ends the session where %s bytes come than were said', async (_, difference) => {
  const { bytes } = fileOf(4_000_000);

  const answer = await send(`${MESSAGE}?name=a&size=${bytes.byteLength - difference}`, bytes, {}, true);

  await expectGraphError(new Response(answer.body, { status: answer.status }), 400, 'SizeMismatch');
  await site.findEvent('request', ({ code }) => code === 'SizeMismatch');
  await sessionEnds();
  expect(attachments()).toEqual([]);
});

describe('the opening of a chunked transfer that the engine of Logic Apps repeats', () => {
  const file = fileOf(9_000_000);
  const open = (run: string) =>
    send(`${MESSAGE}?name=${file.name}`, Buffer.alloc(0), {
      'x-ms-transfer-mode': 'chunked',
      'x-ms-content-length': String(file.bytes.byteLength),
      'x-ms-workflow-run-id': run,
      'x-ms-action-tracking-id': 'action',
    });

  test('leads to the same upload, whose chunks may come twice, and attaches once', async () => {
    const openings = await Promise.all([open('run-1'), open('run-1')]);
    const [location, ...others] = openings.map(({ headers }) => String(headers['location']));
    expect(others).toEqual([location]);

    const [first, second] = await Promise.all([sendChunks(location ?? '', file), sendChunks(location ?? '', file)]);
    const third = await sendChunks(location ?? '', file);

    const results = await Promise.all([first, second, third].map((answer) => answer.json()));
    expect(results).toEqual(results.map(() => expect.objectContaining({ id: attachments()[0]?.id })));
    expect(attachments()).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
  });

  test('leads to another upload where the first one has ended without the file', async () => {
    const first = await open('run-2');
    await fetch(String(first.headers['location']), { method: 'DELETE' });

    const second = await open('run-2');

    expect(second.headers['location']).not.toBe(first.headers['location']);
    expect((await sendChunks(String(second.headers['location']), file)).status).toBe(200);
    expect(attachments()).toHaveLength(1);
  });
});

test.each([
  ['createUploadSession', `${MESSAGE}/createUploadSession`],
  ['JSON of Graph', MESSAGE],
])('tells a workflow that chunks %s which switch to turn off', async (_, path) => {
  const answer = await send(path, Buffer.alloc(0), {
    'content-type': 'application/json',
    'x-ms-transfer-mode': 'chunked',
    'x-ms-content-length': '4000',
  });

  const { message } = await expectGraphError(
    new Response(answer.body, { status: answer.status }),
    400,
    'ChunkingNotSupported',
  );
  expect(message).toContain('Allow chunking');
});

test('keeps what was declared of an inline image', async () => {
  const { bytes } = fileOf(10);

  await send(`${MESSAGE}?name=logo.png&isInline=true&contentId=logo`, bytes, { 'content-type': 'image/png' });

  expect(attachments()).toEqual([
    expect.objectContaining({
      name: 'logo.png',
      isInline: true,
      contentId: 'logo',
      contentType: 'image/png',
      sha256: createHash('sha256').update(bytes).digest('hex'),
    }),
  ]);
});
