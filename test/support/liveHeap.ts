import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** Measures what a Node process still refers to, which its resident set does not tell. */
export interface LiveHeap {
  /** For the process's NODE_OPTIONS. */
  readonly nodeOptions: string;
  /** The size of a snapshot of its heap, in bytes: a few times that of the objects in it. */
  snapshotBytes(pid: number): Promise<number>;
  remove(): void;
}

export function watchLiveHeap(): LiveHeap {
  const folder = mkdtempSync(join(tmpdir(), 'heap-'));
  const files = () => readdirSync(folder).sort();
  return {
    nodeOptions: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${folder}`,
    async snapshotBytes(pid) {
      const count = files().length;
      process.kill(pid, 'SIGUSR2');
      let bytes = 0;
      for (let isWritten = false; !isWritten; ) {
        await delay(500);
        const file = files()[count];
        const now = file === undefined ? 0 : statSync(join(folder, file)).size;
        isWritten = now > 0 && now === bytes;
        bytes = now;
      }
      return bytes;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
