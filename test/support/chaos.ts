import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startAzurite } from '../../local/azurite.ts';
import type { MailboxSeed } from '../../local/emulators/graph/seed.ts';
import type { LocalHost } from '../../local/host/startHost.ts';
import { type JobSite, startJobSite } from './jobSite.ts';
import { fileOf, type TestFile } from './uploads.ts';

export interface ChaosOptions {
  readonly jobs: number;
  readonly sizeBytes: number;
  readonly mailboxes: number;
  readonly workers: number;
  /** A worker is killed and another started so often. */
  readonly killEveryMs: number;
  /** Azurite, on disk, is restarted once, this long after the last job was asked for. */
  readonly restartStoreAfterMs: number;
  /** The share of calls that Graph fails, in each way that it has. */
  readonly failureRate: number;
  readonly timeoutMs: number;
  readonly log?: (line: string) => void;
}

export interface ChaosResult {
  /** How each job ended: status, how often its file is attached, and whether byte for byte. */
  readonly ends: readonly { readonly status: number; readonly count: number; readonly isExact: boolean }[];
  readonly kills: number;
  readonly seconds: number;
  /** How often runs ended in each way. */
  readonly runs: Readonly<Record<string, number>>;
  /** Jobs whose progress went back for their poller. */
  readonly wentBack: number;
}

interface AskedJob {
  readonly file: TestFile;
  readonly mailbox: string;
  readonly item: string;
  readonly location: string;
}

/** Runs jobs while workers are killed at random, Graph fails, and the store is restarted once. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { log = () => {} } = options;
  const folder = mkdtempSync(join(tmpdir(), 'chaos-'));
  const storage = await startAzurite({ persistIn: folder });
  const site = await startJobSite({ storage });
  const begun = Date.now();
  const workers = await Promise.all(Array.from({ length: options.workers }, () => site.startWorker()));
  let isOver = false;
  const killing = killWorkers(workers, options, () => isOver);
  let restarting: Promise<void> | undefined;
  try {
    // A claim of an Idempotency-Key that the store loses its end of holds for ATTACH_TIMEOUT_MS: that is no matter of jobs.
    const asked = await askForAll(site, options);
    restarting = delay(options.restartStoreAfterMs).then(() => storage.restart());
    failAtRandom(site, options.failureRate);
    log(`${asked.length} jobs under way after ${Date.now() - begun} ms`);
    const ends = await Promise.all(asked.map((job) => end(site, job, begun + options.timeoutMs, log)));
    isOver = true;
    const [kills] = await Promise.all([killing, restarting]);
    const runs: Record<string, number> = {};
    for (const { code } of site.runs) runs[code] = (runs[code] ?? 0) + 1;
    const wentBack = ends.filter((one) => one.wentBack).length;
    return { ends, kills, seconds: Math.round((Date.now() - begun) / 1000), runs, wentBack };
  } finally {
    isOver = true;
    await Promise.allSettled([killing, restarting]);
    await site.close();
    await storage.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function askForAll(site: JobSite, { jobs, sizeBytes, mailboxes }: ChaosOptions): Promise<AskedJob[]> {
  const seeds = Array.from({ length: mailboxes }, (_, index): MailboxSeed => {
    const id = crypto.randomUUID();
    return { kind: 'user', id, userPrincipalName: `chaos-${index}@contoso.example`, items: { message: [`m-${id}=`] } };
  });
  for (const seed of seeds) site.graph.addMailbox(seed);
  const asked: AskedJob[] = [];
  for (let index = 0; index < jobs; index += 1) {
    const seed = seeds[index % seeds.length];
    const item = seed?.items['message']?.[0] ?? '';
    const mailbox = seed?.id ?? '';
    const file = fileOf(sizeBytes, `chaos-${index}.bin`);
    asked.push({ file, mailbox, item, location: await ask(site, file, mailbox, item) });
  }
  return asked;
}

/** As a client does: with a key, again where no answer or none of use came. */
async function ask(site: JobSite, file: TestFile, mailbox: string, item: string): Promise<string> {
  const headers = { 'idempotency-key': crypto.randomUUID() };
  const path = `/${file.name}`;
  for (let tries = 0; tries < 60; tries += 1) {
    const about = { item: `users/${mailbox}/messages/${encodeURIComponent(item)}`, headers, path };
    const answer = await site.ask(file, about).catch(() => undefined);
    const location = answer?.status === 202 ? answer.headers.get('location') : null;
    if (location) return location;
    await delay(500);
  }
  throw new Error('The job was not taken.');
}

function failAtRandom(site: JobSite, rate: number): void {
  const share = rate / 4;
  for (const on of ['create', 'read'] as const) {
    for (const fault of ['status503', 'status500', 'resetBeforeHeaders', 'status429'] as const) {
      site.graph.play({ error: fault, on, rate: share, retryAfter: '1' });
    }
  }
  for (const fault of ['status503', 'resetAfterCommit', 'status503AfterCommit', 'resetMidBody'] as const) {
    site.graph.play({ error: fault, on: 'upload', rate: share, ...(fault === 'status503' && { retryAfter: '1' }) });
  }
}

async function killWorkers(
  workers: readonly LocalHost[],
  { killEveryMs }: ChaosOptions,
  isOver: () => boolean,
): Promise<number> {
  let kills = 0;
  while (!isOver()) {
    await delay(killEveryMs);
    const victim = workers[Math.floor(Math.random() * workers.length)];
    if (isOver() || victim === undefined) break;
    if (isRunning(victim.workerPid)) process.kill(victim.workerPid, 'SIGKILL'); // Its host starts another.
    kills += 1;
  }
  return kills;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function end(site: JobSite, job: AskedJob, until: number, log: (line: string) => void) {
  const { file, location, mailbox, item } = job;
  let status = 0;
  let percent = 0;
  let wentBack = false;
  for (;;) {
    const answer = await fetch(location).catch(() => undefined);
    status = answer?.status ?? 0;
    if (status !== 202 && status !== 503 && status !== 0) break;
    if (Date.now() > until) break;
    if (answer !== undefined && status === 202) {
      const { percentComplete } = (await answer.json()) as { percentComplete: number };
      wentBack ||= percentComplete < percent;
      percent = percentComplete;
    }
    await delay(500);
  }
  const found = site.graph.attachments(mailbox, item).filter(({ name }) => name === file.name);
  log(`${file.name}: ${status}, attached ${found.length} times`);
  return { status, count: found.length, isExact: found.every(({ sha256 }) => sha256 === file.sha256), wentBack };
}
