import { createHash } from 'node:crypto';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import {
  type AttachAnswer,
  type AttachSite,
  ITEMS,
  patchChunks,
  postBytes,
  startAttachSite,
  WAYS,
} from '../support/attachSite.ts';
import { expectGraphError } from '../support/site.ts';
import { until } from '../support/until.ts';
import { fileOf } from '../support/uploads.ts';

const [messageId] = ADELE.items.message;
const MESSAGE = `me/messages/${messageId}/attachments`;

let site: AttachSite;

beforeAll(async () => {
  site = await startAttachSite({ settings: { POLICY: '', ALLOW_ANY_MAILBOX: 'true' } });
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

function send(
  path: string,
  bytes: Buffer,
  headers: Readonly<Record<string, string>> = {},
  isChunked = false,
): Promise<AttachAnswer> {
  return postBytes(`${site.api}/${path}`, bytes, headers, isChunked);
}

function attachments(itemId: string = messageId) {
  return site.graph.attachments(ADELE.id, itemId);
}

async function sessionEnds(): Promise<void> {
  const isEnded = () => site.graph.requests.some(({ method, status }) => method === 'DELETE' && status === 204);
  await until('the end of the session at Graph', isEnded);
}

describe.each(['chunked', "in a workflow's chunks"] as const)('where tenants differ, a file %s', (way) => {
  /** Methods and statuses of what changed something at Graph. */
  function calls(): readonly string[] {
    const changes = site.graph.requests.filter(({ method }) => method !== 'GET');
    return changes.map(
      ({ method, path, status }) => `${method}${/createUploadSession/.test(path) ? ' session' : ''} ${status}`,
    );
  }

  function success(): number {
    return way === 'chunked' ? 201 : 200;
  }

  test.each([413, 400] as const)('goes through a session where one call may not be so long (%d)', async (refusal) => {
    const file = fileOf(2_500_000);
    Object.assign(site.graph.settings, { singlePostLimitBytes: 2_200_000, singlePostRefusal: refusal });

    const { status } = await WAYS[way](site, ITEMS.message.path, file);

    expect(status).toBe(success());
    expect(calls()).toEqual([`POST ${refusal}`, 'POST session 201', 'PUT 201']);
    expect(attachments()).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
  });

  test('goes up in one call where it is too small for a session', async () => {
    const file = fileOf(3_100_000);
    site.graph.settings.minimumSize = 3_145_728;

    const { status } = await WAYS[way](site, ITEMS.message.path, file);

    expect(status).toBe(success());
    expect(calls()).toEqual(['POST session 400', 'POST 201']);
    expect(attachments()).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
  });

  test.each([
    ['outside the band', 2_000_000, ['POST 413']],
    ['that neither way takes', 2_500_000, ['POST 413', 'POST session 400']],
  ])('%s is refused as Graph refuses it', async (_, size, expected) => {
    Object.assign(site.graph.settings, { singlePostLimitBytes: 1_000_000, minimumSize: 3_000_000 });

    const { status } = await WAYS[way](site, ITEMS.message.path, fileOf(size));

    expect(calls()).toEqual(expected);
    expect(String(status)).toBe(expected.at(-1)?.slice(-3));
    expect(attachments()).toEqual([]);
  });
});

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

    const [first, second] = await Promise.all([patchChunks(location ?? '', file), patchChunks(location ?? '', file)]);
    const third = await patchChunks(location ?? '', file);

    const results = [first, second, third].map(({ body }) => JSON.parse(body));
    expect(results).toEqual(results.map(() => expect.objectContaining({ id: attachments()[0]?.id })));
    expect(attachments()).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
  });

  test('leads to another upload where the first one has ended without the file', async () => {
    const first = await open('run-2');
    await fetch(String(first.headers['location']), { method: 'DELETE' });

    const second = await open('run-2');

    expect(second.headers['location']).not.toBe(first.headers['location']);
    expect((await patchChunks(String(second.headers['location']), file)).status).toBe(200);
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
