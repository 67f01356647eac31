import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** A process's resident set in MiB, seen from outside. */
export async function residentMebibytes(pid: number): Promise<number> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) / 1024;
}
