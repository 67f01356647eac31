import { randomBytes } from 'node:crypto';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { changeJob, idIn, inMs, readJob, readJobFile } from '../support/jobRecords.ts';
import { JOB_KEY, type JobSite, locationOf, messageFor, startJobSite, untilOver } from '../support/jobSite.ts';
import { readWholeStore } from '../support/readWholeStore.ts';
import { expectGraphError } from '../support/site.ts';
import { until } from '../support/until.ts';
import { fileOf, type TestFile } from '../support/uploads.ts';

let site: JobSite;

beforeEach(async () => {
  site = await startJobSite();
});
afterEach(() => site.close());

function attached(name: string): readonly unknown[] {
  return site.graph.attachments(ADELE.id, ADELE.items.message[0]).filter((one) => one.name === name);
}

async function startJobs(count: number, sizeBytes: number): Promise<{ file: TestFile; location: string }[]> {
  const files = Array.from({ length: count }, (_, index) => fileOf(sizeBytes, `file-${index}.bin`));
  return Promise.all(files.map(async (file) => ({ file, location: locationOf(await site.ask(file)) })));
}

/** Messages that wait, those on their way back among them. */
async function messagesLeft(): Promise<number> {
  const { approximateMessagesCount = 0 } = await site.queue.getProperties();
  return approximateMessagesCount;
}

async function queueEmpties(): Promise<void> {
  await until('an empty queue', async () => (await messagesLeft()) === 0, 100);
}

async function untilAttempt(location: string, attempts: number): Promise<void> {
  await until(`attempt ${attempts}`, async () => (await readJob(site.store, location)).attempts >= attempts, 50);
}

test('messages that are doubled, lost, late, out of order or of a stranger: each job ends, each file is attached once', async () => {
  const jobs = await startJobs(8, 4_000_000);
  const [doubled, late, lost] = [jobs.slice(0, 3), jobs.slice(3, 6), jobs.slice(6)];
  await site.queue.clearMessages();
  const strangers = [
    'no base64 at all: {}', // It goes to the other queue, and no function sees it.
    Buffer.from('a stranger').toString('base64'),
    Buffer.from(JSON.stringify({ id: idIn(jobs[0]?.location ?? ''), dequeueCount: 99 })).toString('base64'),
    Buffer.from(idIn(jobs[0]?.location ?? '')).toString('base64'),
    messageFor(jobs[0]?.location ?? '', 'another key, of the same length or so'),
    Buffer.from(randomBytes(73).toString('base64url')).toString('base64'),
  ];
  for (const text of strangers) await site.queue.sendMessage(text);
  for (const { location } of late.toReversed()) {
    await site.queue.sendMessage(messageFor(location), { visibilityTimeout: 3 });
  }
  for (const { location } of [...doubled, ...doubled.toReversed()]) await site.queue.sendMessage(messageFor(location));
  for (const { location } of doubled) {
    // Whoever reads the queue can repeat what is there, in either queue.
    await site.poison.createIfNotExists();
    await site.poison.sendMessage(messageFor(location));
  }

  await Promise.all([site.startWorker(), site.startWorker()]);

  const answers = await Promise.all(jobs.map(({ location }) => untilOver(location)));
  expect(answers.map(({ status }) => status)).toEqual(jobs.map(() => 201));
  for (const { file } of jobs) {
    expect(attached(file.name)).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
  }
  expect(lost).toHaveLength(2);
  expect(site.runs.filter(({ code }) => code === 'MessageRefused').length).toBeGreaterThanOrEqual(strangers.length - 1);
  await queueEmpties();
});

test('a job that takes its worker down each time ends: its poller gets 424, and the queue is empty', async () => {
  const location = locationOf(
    await site.ask(fileOf(9_000_000), { source: { faults: [{ kind: 'fallsSilent', afterBytes: 10 }] } }),
  );
  await changeJob(site.store, location, { attempts: 8 });

  const worker = await site.startWorker();
  for (let attempts = 9; attempts <= 10; attempts += 1) {
    await untilAttempt(location, attempts);
    process.kill(worker.workerPid, 'SIGKILL');
    await site.store.breakLease(idIn(location)); // As if its time had passed.
    await site.queue.sendMessage(messageFor(location));
  }

  const over = await untilOver(location);

  const { message } = await expectGraphError(over, 424, 'JobFailed');
  expect(message).toContain('10 attempts in a row came to nothing.');
  await queueEmpties();
});

test('a message that the host has given up is an attempt that came to nothing; after the last one the job has failed', async () => {
  const location = locationOf(await site.ask(fileOf(9_000_000)));
  await site.queue.clearMessages();
  await site.poison.createIfNotExists();
  await changeJob(site.store, location, { attempts: 9 });
  await site.poison.sendMessage(messageFor(location));
  await site.startWorker();
  await until('the end of the run', () => site.runs.length > 0); // It writes the record no more.
  await changeJob(site.store, location, { notBefore: inMs(0) });
  await site.poison.sendMessage(messageFor(location));

  const over = await untilOver(location);

  const { message } = await expectGraphError(over, 424, 'JobFailed');
  expect(message).toContain('The worker of the job broke off.');
});

test('a dead instance does not stop a job for long: a poll sends a new message', async () => {
  const file = fileOf(12_000_000);
  const slow = { kind: 'isSlow', pieceBytes: 200_000, pauseMs: 50, times: 1 } as const;
  const location = locationOf(await site.ask(file, { source: { faults: [slow] } }));
  const worker = await site.startWorker();
  await until('a first piece', async () => (await readJobFile(site.store, location)).offset > 0, 20);
  process.kill(worker.workerPid, 'SIGKILL');
  await site.store.breakLease(idIn(location)); // As if its time had passed.
  await site.queue.clearMessages(); // Those of a host that died are away for ten minutes.

  const over = await untilOver(location);

  expect(over.status).toBe(201);
  expect(attached(file.name)).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
});

test('is cancelled before it begins, and its message does nothing', async () => {
  const location = locationOf(await site.ask(fileOf(4_000_000)));

  const cancelled = await fetch(location, { method: 'DELETE' });
  await site.startWorker();
  await queueEmpties();

  expect(cancelled.status).toBe(204);
  await expectGraphError(await fetch(location), 410, 'UploadCancelled');
  expect(site.runs.map(({ code }) => code)).toEqual(['AlreadyFinished']);
  expect(site.graph.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
});

test('ends when its time has passed, with the last reason', async () => {
  const location = locationOf(await site.ask(fileOf(4_000_000)));
  const lastReason = { code: 'ApplicationThrottled', message: 'Too many requests.' };
  await changeJob(site.store, location, { endsAt: inMs(-1), lastReason });
  await site.startWorker();

  const { message } = await expectGraphError(await untilOver(location), 424, 'JobFailed');

  expect(message).toBe('The timeout of the job has passed. The last reason: ApplicationThrottled: Too many requests.');
});

test('waits for its end at most where Graph asks for two days, and then ends', async () => {
  site.graph.play({ error: 'status429', on: 'upload', retryAfter: '172800' });
  const location = locationOf(await site.ask(fileOf(4_000_000)));
  await site.startWorker();
  await until('the first run of the job', () => site.runs.length > 0);

  const job = await readJob(site.store, location);
  expect(site.runs).toEqual([expect.objectContaining({ code: 'Postponed', reason: 'ApplicationThrottled' })]);
  expect(job.notBefore).toBe(job.endsAt);
  expect(await messagesLeft()).toBe(1);

  await changeJob(site.store, location, { endsAt: inMs(-1) });
  await site.queue.sendMessage(messageFor(location));

  const { message } = await expectGraphError(await untilOver(location), 424, 'JobFailed');
  expect(message).toMatch(/^The timeout of the job has passed\. The last reason: ApplicationThrottled: /);
});

test('hands on when its instance ends', async () => {
  const file = fileOf(12_000_000);
  const slow = { kind: 'isSlow', pieceBytes: 200_000, pauseMs: 50 } as const;
  const location = locationOf(await site.ask(file, { source: { faults: [slow] } }));
  const worker = await site.startWorker();
  await until('a first piece', async () => (await readJobFile(site.store, location)).offset > 0, 20);

  await worker.close();

  expect(site.runs.map(({ code }) => code)).toEqual(['Continued']);
  await site.startWorker();
  expect((await untilOver(location)).status).toBe(201);
  expect(attached(file.name)).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
});

test('shows a reader of the account nothing of use', async () => {
  const name = 'Zq7-file-name.pdf';
  const location = locationOf(await site.ask(fileOf(4_000_000, name)));

  const { peekedMessageItems } = await site.queue.peekMessages({ numberOfMessages: 32 });
  const stored = await readWholeStore(site.storage?.connectionString ?? '');
  const texts = peekedMessageItems.flatMap(({ messageText }) => [
    messageText,
    Buffer.from(messageText, 'base64').toString('latin1'),
    Buffer.from(Buffer.from(messageText, 'base64').toString(), 'base64url').toString('latin1'),
  ]);

  expect(peekedMessageItems).toHaveLength(1);
  const id = idIn(location);
  const secrets = [
    ...[name, JOB_KEY, id, Buffer.from(id, 'base64url').toString('latin1')],
    ...[site.sources.origin, 'of-the-source', ADELE.userPrincipalName, ADELE.id, 'workflow'],
  ];
  for (const text of [stored, ...texts]) {
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
  }
});
