import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { MAX_CHUNK_BYTES, MAX_SLICE_BYTES } from '../../shared/common/limits.ts';
import { runs } from '../support/runs.ts';
import { type SecondHost, startSecondHost } from '../support/secondHost.ts';
import { type Site, startSite } from '../support/site.ts';
import { until } from '../support/until.ts';
import { fileOf, openUpload, putRange, type TestFile } from '../support/uploads.ts';

const SETTINGS = { UPLOAD_URL: 'proxy', ALLOW_ANY_MAILBOX: 'true' };

let site: Site;
let second: SecondHost;

beforeAll(async () => {
  site = await startSite({ storage: true, settings: SETTINGS, graph: { anyItem: true, minimumSize: 1 } });
  second = await startSecondHost(site, SETTINGS);
});
beforeEach(() => site.graph.reset());
afterAll(async () => {
  await second.close();
  await site.close();
});

/** An upload that is reached through either instance. */
async function openThroughBoth(file: TestFile) {
  const itemId = randomUUID();
  const { url } = await openUpload(site, file, `users/${ADELE.id}/messages/${itemId}`);
  return {
    url,
    throughSecond: url.replace(site.api, second.api),
    attached: () => site.graph.attachments(ADELE.id, itemId).map(({ sha256 }) => sha256),
  };
}

interface Progress {
  readonly status: string;
  /** Where the upload goes on; undefined at its end. */
  readonly offset: number | undefined;
}

async function readProgress(url: string): Promise<Progress> {
  const { status, nextExpectedRanges } = JSON.parse(await (await fetch(url)).text());
  return {
    status,
    offset: nextExpectedRanges[0] === undefined ? undefined : Number.parseInt(nextExpectedRanges[0], 10),
  };
}

/** What a client does that lost its way: asks, and goes on. Gives back the upload's status at the end. */
async function resume(url: string, file: TestFile, sliceBytes: number): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    const { status, offset } = await readProgress(url);
    if (status !== 'uploading' || offset === undefined) return status;
    const answer = await putRange(url, file, offset, Math.min(offset + sliceBytes, file.bytes.length) - 1);
    if (answer.status === 400) throw new Error(`A range that is expected was refused: ${await answer.text()}`);
    await answer.arrayBuffer();
  }
  return 'uploading';
}

/** Sends a range and gives back the status, of an error with its code. */
async function tryRange(url: string, file: TestFile, first: number, last: number): Promise<string> {
  try {
    const answer = await putRange(url, file, first, last);
    const [code = ''] = /(?<="code":")\w+/.exec(await answer.text()) ?? [];
    return `${answer.status} ${code}`.trim();
  } catch {
    return 'no answer';
  }
}

/** In thousandths of the file. */
const share = fc.integer({ min: 0, max: 999 });
const put = fc.record({
  isSecond: fc.boolean(),
  first: fc.oneof(fc.constant('next' as const), fc.constant('next' as const), share),
  length: fc.integer({ min: 1, max: 1000 }),
  isTotalWrong: fc.integer({ min: 0, max: 9 }).map((drawn) => drawn === 0),
});
type Put = typeof put extends fc.Arbitrary<infer Value> ? Value : never;
/** The ranges of one group are sent at once. */
const groups = fc.array(fc.array(put, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 8 });

const EXPECTED = ['200', '201', '400 InvalidRange', '416 RangeNotExpected'];

const LOSSES = ['resetAfterCommit', 'resetBeforeHeaders', 'status503AfterCommit', 'truncated'] as const;

test.each([
  { what: 'small', size: 200_000, numRuns: runs(10, 40), losses: [] },
  { what: 'small, one answer of eight lost', size: 200_000, numRuns: runs(3, 8), losses: LOSSES },
  { what: 'of several pieces', size: 3 * MAX_CHUNK_BYTES + 12_345, numRuns: runs(2, 5), losses: [] },
])('attaches files ($what) once, whatever ranges come in which order through whichever instance', async (played) => {
  const { size, numRuns, losses } = played;
  const file = fileOf(size);
  for (const fault of losses) site.graph.play({ error: fault, on: 'upload', rate: 1 / 32 });

  await fc.assert(
    fc.asyncProperty(groups, fc.boolean(), async (sent, isLastSecond) => {
      const { url, throughSecond, attached } = await openThroughBoth(file);
      const send = async ({ isSecond, first, length, isTotalWrong }: Put) => {
        const at = isSecond ? throughSecond : url;
        const from =
          first === 'next' ? ((await readProgress(at)).offset ?? size - 1) : Math.floor((first * size) / 1000);
        const to = Math.min(from + Math.min(Math.ceil((length * size) / 1000), MAX_SLICE_BYTES), size) - 1;
        // Its bytes are right, its Content-Range names a longer file.
        const declared = isTotalWrong ? { ...file, bytes: Buffer.concat([file.bytes, Buffer.alloc(1)]) } : file;
        return tryRange(at, declared, from, to);
      };

      const answers: string[] = [];
      for (const group of sent) answers.push(...(await Promise.all(group.map(send))));

      expect(answers.filter((answer) => !EXPECTED.includes(answer))).toEqual([]);
      expect(await resume(isLastSecond ? throughSecond : url, file, MAX_SLICE_BYTES)).toBe('completed');
      expect(attached()).toEqual([file.sha256]);
    }),
    { numRuns, endOnFailure: true },
  );
});

test('attaches a small file of a workflow once, though its one chunk comes again through both instances before Graph has answered', async () => {
  const file = fileOf(100_000);
  const itemId = randomUUID();
  const opened = await fetch(`${site.api}/users/${ADELE.id}/messages/${itemId}/attachments?name=${file.name}`, {
    method: 'POST',
    headers: { 'x-ms-transfer-mode': 'chunked', 'x-ms-content-length': String(file.bytes.length) },
  });
  const url = opened.headers.get('location') ?? '';
  const patch = (to: string) =>
    fetch(to, {
      method: 'PATCH',
      headers: { 'content-range': `bytes 0-${file.bytes.length - 1}/${file.bytes.length}` },
      body: file.bytes,
    });
  site.graph.settings.latencyMs = 1_000;

  const first = patch(url);
  await until('the POST at Graph, which takes its time', () =>
    site.graph.requests.some(({ method, path, bytes }) => method === 'POST' && /attachments$/.test(path) && bytes > 0),
  );
  site.graph.settings.latencyMs = 0;
  const answers = await Promise.all([first, patch(url.replace(site.api, second.api)), patch(url)]);

  const seen = answers.map(({ status, headers }) => [status, headers.get('range')]);
  expect(seen).toEqual(Array(3).fill([200, `bytes=0-${file.bytes.length - 1}`]));
  expect(site.graph.attachments(ADELE.id, itemId).map(({ sha256 }) => sha256)).toEqual([file.sha256]);
});

describe('where the worker is killed', () => {
  const SLICE_BYTES = 3_500_000;
  const hanging = (piece: 'middle' | 'last') => () => site.graph.play({ error: 'hangAfterCommit', chunk: piece });
  const isHanging = () => site.graph.requests.some(({ error: fault }) => fault === 'hangAfterCommit');

  test.each([
    {
      when: 'while a piece goes up',
      slice: 1,
      arrange: () => {
        site.graph.settings.uploadBytesPerSecond = 1_000_000;
      },
      isThen: () => site.graph.requests.filter(({ method, bytes }) => method === 'PUT' && bytes > 500_000).length === 2,
    },
    { when: 'when Graph has taken a piece and not answered', slice: 1, arrange: hanging('middle'), isThen: isHanging },
    {
      when: 'when Graph has taken the last piece and not answered',
      slice: 2,
      arrange: hanging('last'),
      isThen: isHanging,
    },
  ])('$when, the same client goes on, and the file is whole and there once', async ({ slice, arrange, isThen }) => {
    const file = fileOf(3 * SLICE_BYTES);
    const { throughSecond: url, attached } = await openThroughBoth(file);
    for (let first = 0; first < slice * SLICE_BYTES; first += SLICE_BYTES) {
      expect(await tryRange(url, file, first, first + SLICE_BYTES - 1)).toBe('200');
    }
    arrange();
    const interrupted = tryRange(url, file, slice * SLICE_BYTES, (slice + 1) * SLICE_BYTES - 1);
    await until('the moment to kill the worker', isThen);

    const pid = second.host.workerPid;
    process.kill(pid, 'SIGKILL');

    expect(['200', '201']).not.toContain(await interrupted);
    site.graph.settings.uploadBytesPerSecond = 0;
    expect(await resume(url, file, SLICE_BYTES)).toBe('completed');
    expect(second.host.workerPid).not.toBe(pid);
    expect(attached()).toEqual([file.sha256]);
  });
});
