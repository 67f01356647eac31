import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A process's resident set in MiB, seen from outside. */
export async function residentMebibytes(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) / 1024;
}

/** The most, in MiB, that a process's resident set grows while the work continues. */
export async function growthDuring(pid: number, work: Promise<unknown>): Promise<number> {
  const before = await residentMebibytes(pid);
  let most = 0;
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    most = Math.max(most, (await residentMebibytes(pid)) - before);
    await delay(20);
  }
  await over;
  return most;
}
