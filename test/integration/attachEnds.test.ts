import { type ClientRequest, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { type AttachSite, ITEMS, postFile, startAttachSite } from '../support/attachSite.ts';
import { expectGraphError } from '../support/site.ts';
import { until } from '../support/until.ts';
import { fileOf } from '../support/uploads.ts';

const FILE = fileOf(9_000_000);
const HALF = FILE.bytes.subarray(0, 4_500_000);
/** ATTACH_TIMEOUT_MS: long where a caller hangs up, short where it is to pass. */
const BUDGET_MS = { hangsUp: 120_000, passes: 5_000 } as const;

let site: AttachSite;

function useSite(budgetMs: number): void {
  beforeAll(async () => {
    // Longer than the budget: the app is to end the time, not the platform.
    const times = { bodyGraceMs: 60_000 };
    site = await startAttachSite({ settings: { ATTACH_TIMEOUT_MS: String(budgetMs) }, host: { times } });
  });
  beforeEach(() => site.graph.reset());
  afterAll(() => site.close());
}

/** Begins to send bytes chunked. */
function open(item: keyof typeof ITEMS): ClientRequest {
  const url = `${site.api}/${ITEMS[item].path}?name=a&size=${FILE.bytes.length}`;
  const outgoing = request(url, { method: 'POST', agent: false });
  outgoing.on('error', () => {}); // Some tests hang up.
  return outgoing;
}

/** Sends a whole request in the background, and gives back what hangs up. */
function call(path: string, members: object): () => void {
  const hungUp = new AbortController();
  fetch(`${site.api}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ '@odata.type': '#microsoft.graph.fileAttachment', name: 'a', ...members }),
    signal: hungUp.signal,
  }).catch(() => {});
  return () => hungUp.abort();
}

async function answerTo(outgoing: ClientRequest): Promise<Response> {
  const incoming = await new Promise<import('node:http').IncomingMessage>((resolve) =>
    outgoing.once('response', resolve),
  );
  let body = '';
  for await (const chunk of incoming) body += chunk;
  return new Response(body, { status: incoming.statusCode ?? 0 });
}

function pieces() {
  return site.graph.requests.filter(({ method }) => method === 'PUT');
}

/** The session is ended when the app knows that it will not continue. */
async function expectEnded(code: string, item: keyof typeof ITEMS): Promise<void> {
  await site.findEvent('request', (line) => line['code'] === code && line['operation'] === 'attach');
  const ended = await until('the end of the session', () =>
    site.graph.requests.find(({ method, status }) => method === 'DELETE' && status === 204),
  );
  expect(site.graph.attachments(ADELE.id, ITEMS[item].id)).toEqual([]);
  await delay(50);
  expect(pieces().at(-1)?.startedAt).toBeLessThanOrEqual(ended.startedAt);
}

describe('a caller that hangs up', () => {
  useSite(BUDGET_MS.hangsUp);

  test.each(['message', 'event', 'task'] as const)(
    'in the middle of its bytes ends the session of a %s',
    async (item) => {
      const outgoing = open(item);
      outgoing.write(HALF);
      await until('the first piece', () => pieces().some(({ status }) => status === 200));

      outgoing.destroy();

      await expectEnded('CallerDisconnected', item);
    },
  );

  test.each([
    ['JSON', () => ({ contentBytes: FILE.bytes.toString('base64') })],
    ['an address', () => ({ sourceUrl: `${site.source.origin}/file` })],
  ])('while the bytes of %s go up ends the session', async (_, members) => {
    site.source.put('/file', { bytes: FILE.bytes });
    site.graph.settings.uploadBytesPerSecond = 2_000_000;
    const hangUp = call(ITEMS.message.path, members());
    await until('the second piece', () => pieces().length === 2);

    hangUp();

    await expectEnded('CallerDisconnected', 'message');
  });
});

describe('the end of the time', () => {
  useSite(BUDGET_MS.passes);

  test('is answered 408 where the caller is slow, and ends the session', async () => {
    const outgoing = open('message');
    const answered = answerTo(outgoing);
    outgoing.write(HALF);
    await site.findEvent('request', ({ code }) => code === 'RequestBodyTimeout');
    outgoing.end(FILE.bytes.subarray(HALF.length)); // The answer comes through once the body has.

    await expectGraphError(await answered, 408, 'RequestBodyTimeout');
    await expectEnded('RequestBodyTimeout', 'message');
  });

  test('is answered 504 where Graph is slow, and ends the session', async () => {
    site.graph.settings.uploadBytesPerSecond = 1_000_000;

    const answer = await postFile(site, ITEMS.message.path, {
      name: 'a',
      contentBytes: FILE.bytes.toString('base64'),
    });

    await expectGraphError(new Response(answer.body, { status: answer.status }), 504, 'TimedOut');
    await expectEnded('TimedOut', 'message');
  });

  test('is the same for a small body without a length', async () => {
    const outgoing = request(`${site.api}/${ITEMS.message.path}?name=a`, { method: 'POST', agent: false });
    const answered = answerTo(outgoing);
    outgoing.write('a');
    await delay(BUDGET_MS.passes + 200);
    outgoing.end();

    await expectGraphError(await answered, 408, 'RequestBodyTimeout');
    expect(site.graph.requests).toEqual([]);
  });
});
