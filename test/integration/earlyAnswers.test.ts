import { Agent } from 'node:http';
import { type RawAnswer, sendRaw } from '../support/probeApp/sendRaw.ts';
import { residentMebibytes } from '../support/residentMemory.ts';
import { isExhaustive } from '../support/runs.ts';
import { type LargeRequest, sendLarge } from '../support/sendLarge.ts';
import { graphErrorBody } from '../support/site.ts';
import { itemPath, startTenantSite, type TenantSite } from '../support/tenantSite.ts';

/**
 * What the app refuses before the body is there. The host passes an answer on once the body has been sent, and loses it
 * where the worker breaks off (host-measured): the app reads the rest away.
 */
const MIB = 1024 * 1024;
const APP = '1f0e2d3c-4b5a-4968-8776-655443322110';
const POLICY = { callers: [{ name: 'Sender', appId: APP, mailboxes: ['desk@contoso.example'], kinds: ['message'] }] };
const TARGET = `/api/users/desk@contoso.example/${itemPath('message')}`;
const REQUEST_TIMEOUT_MS = 8_000;
/** A quarter of what would stay if bodies did. */
const MAX_GROWTH_MIB = 64;
const SIZES_MIB = isExhaustive ? [1, 20, 60] : [1, 20];

let site: TenantSite;
let authorization: string;

beforeAll(async () => {
  site = await startTenantSite({ policy: POLICY, settings: { REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS) } });
  authorization = await site.bearer(APP);
});
afterAll(() => site.close());

interface Refusal extends Pick<LargeRequest, 'method' | 'target' | 'headers'> {
  readonly status: number;
  readonly code: string;
}

const json = () => ({ authorization, 'content-type': 'application/json' });
const REFUSALS = {
  size: () => ({ target: TARGET, headers: json(), status: 413, code: 'RequestBodyTooLarge' }),
  type: () => ({
    target: TARGET,
    headers: { ...json(), 'content-type': 'application/pdf' },
    status: 415,
    code: 'UnsupportedMediaType',
  }),
  path: () => ({ target: '/api/users/desk/files', headers: json(), status: 404, code: 'PathNotSupported' }),
  method: () => ({ target: TARGET, method: 'PUT', headers: json(), status: 405, code: 'MethodNotAllowed' }),
  token: () => ({
    target: TARGET,
    headers: { ...json(), authorization: 'Bearer a.b.c' },
    status: 401,
    code: 'InvalidAuthenticationToken',
  }),
} satisfies Record<string, () => Refusal>;
type Wrong = keyof typeof REFUSALS;
const NAMES = Object.keys(REFUSALS) as Wrong[];

async function expectRefusal(wrong: Wrong, how: Pick<LargeRequest, 'sizeBytes' | 'isChunked' | 'agent' | 'pace'>) {
  const { status, code, ...request }: Refusal = REFUSALS[wrong]();
  const answer = await sendLarge(site.url, { ...request, ...how });

  expect([answer.status, parsed(answer)]).toEqual([status, graphErrorBody(code)]);
}

function parsed({ text }: RawAnswer): unknown {
  return text.startsWith('{') ? JSON.parse(text) : text;
}

describe.each([
  ['with Content-Length', false],
  ['chunked', true],
])('a body that is refused early, %s', (_, isChunked) => {
  test.each(NAMES.flatMap((wrong) => SIZES_MIB.map((mebibytes) => [wrong, mebibytes] as const)))(
    'is answered for its wrong %s at %d MiB, and its connection serves on',
    async (wrong, mebibytes) => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      try {
        await expectRefusal(wrong, { sizeBytes: mebibytes * MIB, isChunked, agent });
        const next = { method: 'GET', target: '/api/health', sizeBytes: 0, isChunked: false, agent };
        expect(await sendLarge(site.url, next)).toMatchObject({ status: 200 });
      } finally {
        agent.destroy();
      }
    },
  );
});

if (isExhaustive) {
  test('a hundred early answers leave the memory of the worker as it was', async () => {
    const refuse = async (times: number, sizeBytes: number) => {
      for (let n = 0; n < times; n += 1) {
        await expectRefusal(NAMES[n % NAMES.length] ?? 'size', { sizeBytes, isChunked: n % 2 === 0 });
      }
    };
    await refuse(20, MIB);
    await refuse(2, 40 * MIB);
    const before = await residentMebibytes(site.host.workerPid);

    await refuse(96, MIB);
    await refuse(4, 40 * MIB);

    const growth = (await residentMebibytes(site.host.workerPid)) - before;
    process.stdout.write(`the worker's resident set grew by ${growth.toFixed(1)} MiB\n`);
    expect(growth).toBeLessThan(MAX_GROWTH_MIB);
  });

  test('steady senders get the answer of the app when they have sent all', async () => {
    const sendSteadily = (bytesPerSecond: number, seconds: number, target = TARGET) =>
      sendLarge(site.url, {
        target,
        headers: json(),
        isChunked: true,
        sizeBytes: bytesPerSecond * seconds,
        pace: { pieceBytes: bytesPerSecond / 4, everyMs: 250 },
      });
    const [large, slow, slowest] = await Promise.all([
      sendSteadily(22_000, 13), // Past 64 KiB after 3 s, and 10 s more.
      sendSteadily(8_000, 10), // Not 64 KiB before the deadline after 8 s, and 2 s more.
      // Answered at once; then the worker hears nothing for 10 s, since the host sends blocks of 4 kB.
      sendSteadily(400, 13, '/api/users/desk/files'),
    ]);

    expect([large.status, parsed(large)]).toEqual([413, graphErrorBody('RequestBodyTooLarge')]);
    expect([slow.status, parsed(slow)]).toEqual([408, graphErrorBody('RequestBodyTimeout')]);
    expect([slowest.status, parsed(slowest)]).toEqual([404, graphErrorBody('PathNotSupported')]);
  });
}

test("a sender that stops gets the platform's own answer, and the work on its request ends", async () => {
  const stopped = sendRaw(site.url, {
    method: 'POST',
    target: TARGET,
    headers: [...Object.entries(json()).flat(), 'Transfer-Encoding', 'chunked'],
    body: Buffer.from('{"AttachmentItem"'),
    isUnfinished: true,
  });

  const { status, text } = await stopped;

  expect([status, text]).toEqual([500, '']);
  await site.findEvent('request', ({ code }) => code === 'RequestBodyTimeout' || code === 'CallerDisconnected');
  await expectRefusal('size', { sizeBytes: MIB, isChunked: true });
});
