import { setTimeout as delay } from 'node:timers/promises';
import { ADELE, MEGAN } from '../../local/emulators/graph/seed.ts';
import { type AskOptions, type JobSite, locationOf, startJobSite, untilOver } from '../support/jobSite.ts';
import { runs } from '../support/runs.ts';
import { expectGraphError, postJson } from '../support/site.ts';
import { until } from '../support/until.ts';
import { fileOf, type TestFile } from '../support/uploads.ts';

/** Longer than a run waits itself, and a busy machine takes for the rest of the test. */
const RETRY_AFTER_SECONDS = 12;
const MESSAGE = `me/messages/${encodeURIComponent(ADELE.items.message[0])}`;

let site: JobSite;

beforeAll(async () => {
  site = await startJobSite();
  await site.startWorker();
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

function attachments(itemId: string = ADELE.items.message[0], mailbox: string = ADELE.id) {
  return site.graph.attachments(mailbox, itemId);
}

async function start(file: TestFile, options?: AskOptions): Promise<string> {
  return locationOf(await site.ask(file, options));
}

/** The job is over with the attachment, once and byte for byte. */
async function expectAttached(location: string, file: TestFile): Promise<void> {
  const over = await untilOver(location);
  expect([over.status, await over.json()]).toEqual([201, expect.objectContaining({ name: file.name })]);
  expect(attachments()).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
}

test.each([0, 1, 2_999_999, 3_000_000, 3_932_160, 3_932_161, 9_000_000])(
  'attaches a file of %d bytes',
  async (size) => {
    const file = fileOf(size);

    const asked = await site.ask(file);

    expect([asked.status, await asked.clone().json()]).toEqual([
      202,
      { status: 'uploading', percentComplete: 0, nextExpectedRanges: size === 0 ? [] : [`0-${size - 1}`] },
    ]);
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      location: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/api\/jobs\/[\w-]{43}$/),
      'preference-applied': 'respond-async',
      'retry-after': '5',
    });
    const over = await untilOver(locationOf(asked));
    expect([over.status, await over.json()]).toEqual([
      201,
      expect.objectContaining({ id: attachments()[0]?.id, name: file.name, contentType: 'application/pdf' }),
    ]);
    expect(attachments()).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
  },
);

test.each([
  ['an event', `me/events/${encodeURIComponent(ADELE.items.event[0])}`, ADELE.items.event[0]],
  [
    'a task',
    `me/todo/lists/${encodeURIComponent(ADELE.items.todoTaskList[0])}/tasks/${encodeURIComponent(ADELE.items.todoTask[0])}`,
    ADELE.items.todoTask[0],
  ],
])('attaches a file to %s', async (_, item, itemId) => {
  const file = fileOf(5_000_000);

  const over = await untilOver(await start(file, { item }));

  expect(over.status).toBe(201);
  expect(attachments(itemId)).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
});

test('attaches an archive that is stored with the Content-Encoding of its format', async () => {
  const file = fileOf(5_000_000);
  const source = { contentEncoding: 'gzip', contentType: 'application/octet-stream' };

  const location = await start(file, { path: '/backup.tar.gz', source });

  await expectAttached(location, file);
});

describe('what is wrong is said before there is a job:', () => {
  test.each([
    [424, 'SourceRefused', { faults: [{ kind: 'status', status: 404 }] }],
    [424, 'SourceUnusable', { faults: [{ kind: 'noLength' }] }],
  ] as const)('%d %s', async (status, code, source) => {
    const asked = await site.ask(fileOf(1000), { source });

    await expectGraphError(asked, status, code);
    expect(asked.headers.get('location')).toBeNull();
  });

  test('an address that the policy does not name', async () => {
    const body = { name: 'a.pdf', sourceUrl: 'https://files.contoso.example/a.pdf' };

    const asked = await postJson(`${site.api}/${MESSAGE}/attachments`, body, { prefer: 'respond-async' });

    await expectGraphError(asked, 403, 'SourceNotAllowed');
  });

  test('a file that is too large', async () => {
    const item = `me/todo/lists/${encodeURIComponent(ADELE.items.todoTaskList[0])}/tasks/${encodeURIComponent(ADELE.items.todoTask[0])}`;

    const asked = await site.ask(fileOf(27_000_000), { item });

    await expectGraphError(asked, 400, 'InvalidAttachment');
  });
});

test('waits where the bytes are in the request: the preference is for an address', async () => {
  const body = { name: 'a.txt', contentBytes: Buffer.from('text').toString('base64') };

  const answer = await postJson(`${site.api}/${MESSAGE}/attachments`, body, { prefer: 'respond-async' });

  expect([answer.status, answer.headers.get('preference-applied')]).toEqual([201, null]);
});

test('gives the same Location for the same Idempotency-Key, at once and later', async () => {
  const file = fileOf(4_000_000);
  const path = `/${crypto.randomUUID()}`;
  site.sources.put(path, { bytes: file.bytes });
  const ask = () =>
    postJson(
      `${site.api}/${MESSAGE}/attachments`,
      { name: file.name, sourceUrl: `${site.sources.origin}${path}` },
      { prefer: 'respond-async', 'idempotency-key': path },
    );

  const first = await Promise.all([ask(), ask(), ask()]);
  const [location = ''] = first.map(locationOf);
  await expectAttached(location, file);
  const later = await ask();

  expect([...first, later].map(locationOf)).toEqual([location, location, location, location]);
  expect(attachments()).toHaveLength(1);
});

test('fails as Graph says where the item is not there', async () => {
  const over = await untilOver(await start(fileOf(4_000_000), { item: 'me/messages/AAMkAGnobody%3D' }));

  await expectGraphError(over, 404, 'ErrorItemNotFound');
});

test('fails as Graph says where it refuses the file, and leaves nothing behind', async () => {
  site.graph.play({ error: 'status413MessageSize', on: 'upload', chunk: 'last' });

  const over = await untilOver(await start(fileOf(9_000_000)));

  const { message } = await expectGraphError(over, 413, 'ErrorMessageSizeExceeded');
  expect(message).toBe('The message exceeds the maximum supported size.');
  expect(site.graph.requests.some(({ method, status }) => method === 'DELETE' && status === 204)).toBe(true);
  expect(attachments()).toEqual([]);
});

describe('continues after', () => {
  test.each([
    ['a lost answer in the middle', { error: 'resetAfterCommit', on: 'upload', chunk: 'middle' }],
    ['a lost answer at the end', { error: 'resetAfterCommit', on: 'upload', chunk: 'last' }],
    ['503 for a last piece that was taken', { error: 'status503AfterCommit', on: 'upload', chunk: 'last' }],
    ['a session that is gone', { error: 'sessionGone', on: 'upload', chunk: 'middle' }],
    ['a session that has run out', { error: 'expired', on: 'upload', chunk: 'last' }],
    ['a session that Graph does not know at first', { error: 'notFoundAtFirst', on: 'upload' }],
    ['failures of Graph one after another', { error: 'status500', on: 'upload', times: 4 }],
    ['a Graph that opens no session for a while', { error: 'status503', times: 4, retryAfter: '0' }],
  ] as const)('%s', async (_, fault) => {
    const file = fileOf(12_000_000);
    site.graph.play(fault);

    await expectAttached(await start(file), file);
  });

  test.each([
    ['a source that breaks off', [{ kind: 'breaksOff', afterBytes: 5_000_000, times: 2 }]],
    ['one that has no ETag', [{ kind: 'breaksOff', afterBytes: 5_000_000, times: 2 }, { kind: 'noETag' }]],
    ['one that knows no ranges', [{ kind: 'breaksOff', afterBytes: 5_000_000, times: 2 }, { kind: 'noRanges' }]],
  ] as const)('%s', async (_, faults) => {
    const file = fileOf(9_000_000);

    const asked = await site.ask(file, { source: { faults: [...faults] } });

    await expectAttached(locationOf(asked), file);
  });

  test('a lost answer to a small file', async () => {
    const file = fileOf(2_000_000);
    site.graph.play({ error: 'status504' });

    await expectAttached(await start(file), file);
  });
});

test('attaches nothing where the file changes while it is read', async () => {
  const changing = { faults: [{ kind: 'changes', sizeBytes: 9_000_001 }] } as const;

  const over = await untilOver(await start(fileOf(9_000_000), { source: changing }));

  await expectGraphError(over, 424, 'SourceChanged');
  expect(attachments()).toEqual([]);
});

test('shows progress that never goes back, also where the file is sent again', async () => {
  const file = fileOf(40_000_000);
  site.graph.play({ error: 'sessionGone', on: 'upload', chunk: 8 });
  const location = await start(file, { source: { faults: [{ kind: 'isSlow', pieceBytes: 1_000_000, pauseMs: 20 }] } });

  const shown: { percentComplete: number; nextExpectedRanges: readonly string[] }[] = [];
  for (let answer = await fetch(location); answer.status === 202; answer = await fetch(location)) {
    shown.push((await answer.json()) as (typeof shown)[number]);
    await delay(20);
  }

  await expectAttached(location, file);
  const percents = shown.map(({ percentComplete }) => percentComplete);
  const offsets = shown.map(({ nextExpectedRanges: [range = ''] }) => Number(range.split('-')[0]));
  expect(percents).toEqual(percents.toSorted((a, b) => a - b));
  expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
  expect(new Set(percents).size).toBeGreaterThan(3);
});

test('waits as long as Graph asks, in no invocation, and other mailboxes do not wait', async () => {
  const file = fileOf(4_000_000);
  const other = fileOf(4_000_000);
  const runsBefore = site.runs.length;
  site.graph.play({ error: 'status429', on: 'upload', retryAfter: String(RETRY_AFTER_SECONDS) });
  const throttled = await start(file);
  await until('the 429', () => site.graph.requests.some(({ status }) => status === 429));
  await until('the end of its run', () => site.runs.length > runsBefore);

  const over = await untilOver(
    await start(other, { item: `users/${MEGAN.id}/messages/${encodeURIComponent(MEGAN.items.message[0])}` }),
  );

  const otherOverAt = Date.now();
  expect(over.status).toBe(201);
  await expectAttached(throttled, file);
  const puts = site.graph.requests.filter(({ method, path }) => method === 'PUT' && !path.includes(MEGAN.id));
  const times = puts.map(({ startedAt }) => startedAt);
  expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1000 * RETRY_AFTER_SECONDS);
  expect(otherOverAt).toBeLessThan(times.at(-1) ?? 0);
  const seen = site.runs.slice(runsBefore);
  expect(seen.map(({ code }) => code)).toContain('Postponed');
  expect(Math.max(...seen.map(({ ms }) => ms.total))).toBeLessThan(1000 * RETRY_AFTER_SECONDS);
});

describe('is cancelled', () => {
  test('in the middle of a piece: nothing is attached', async () => {
    const location = await start(fileOf(9_000_000), {
      source: { faults: [{ kind: 'isSlow', pieceBytes: 100_000, pauseMs: 50 }] },
    });
    await until('a piece at Graph', () => site.graph.requests.some(({ method }) => method === 'PUT'));

    const cancelled = await fetch(location, { method: 'DELETE' });

    expect(cancelled.status).toBe(204);
    await expectGraphError(await fetch(location), 410, 'UploadCancelled');
    expect((await fetch(location, { method: 'DELETE' })).status).toBe(204);
    await until('the end of the session', () =>
      site.graph.requests.some(({ method, status }) => method === 'DELETE' && status === 204),
    );
    expect(attachments()).toEqual([]);
  });

  test('not any more once it is attached', async () => {
    const file = fileOf(4_000_000);
    const location = await start(file);
    await expectAttached(location, file);

    await expectGraphError(await fetch(location, { method: 'DELETE' }), 409, 'UploadCompleted');
    expect((await fetch(location)).status).toBe(201);
  });

  test.each([1_000, 8_000_000])('or completed, whichever is first, and both say so: %d bytes', async (size) => {
    for (let wait = 0; wait < runs(4, 10); wait += 1) {
      const file = fileOf(size, `race-${size}-${wait}.bin`);
      const location = await start(file);
      await delay(wait * 30);

      const cancelled = await fetch(location, { method: 'DELETE' });

      const over = await untilOver(location);
      await delay(50);
      const count = attachments().filter(({ name }) => name === file.name).length;
      expect([cancelled.status, over.status, count]).toEqual(cancelled.status === 204 ? [204, 410, 0] : [409, 201, 1]);
    }
  });
});

test('needs a queue, and readiness says whether it can be used', async () => {
  const ready = await fetch(`${site.api}/health/ready`);

  expect(await ready.json()).toMatchObject({ status: 'ready', checks: { storage: 'ok', queue: 'ok' } });
});

test('takes no bytes: it reads them from its address', async () => {
  const location = await start(fileOf(1000));

  const answer = await fetch(location, { method: 'PUT', headers: { 'content-range': 'bytes 0-0/1000' }, body: 'a' });

  await expectGraphError(answer, 405, 'MethodNotAllowed');
  expect(answer.headers.get('allow')).toBe('GET, DELETE');
  await untilOver(location);
});
