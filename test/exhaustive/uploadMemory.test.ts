import { ADELE } from '../../local/emulators/graph/seed.ts';
import { growthDuring } from '../support/residentMemory.ts';
import { type Site, startSite } from '../support/site.ts';
import { fileOf, openUpload } from '../support/uploads.ts';

const MEBIBYTE = 1024 * 1024;
const AT_ONCE = 32;
/** For each upload a slice of the longest that is taken; and what V8 lets lie until it clears up. */
const MOST_GROWTH_MEBIBYTES = AT_ONCE * 8 + 64;
/** The slices of stock clients. */
const SLICE_BYTES = 5 * MEBIBYTE;

const file = fileOf(20_000_000);

let site: Site;

beforeAll(async () => {
  site = await startSite({
    storage: true,
    settings: { UPLOAD_URL: 'proxy', ALLOW_ANY_MAILBOX: 'true' },
    graph: { anyItem: true },
  });
});
afterAll(() => site.close());

/** Sends the slices chunked, which the host hands on while they come in. Gives back the statuses. */
async function upload(item: string): Promise<readonly number[]> {
  const { url } = await openUpload(site, file, `users/${ADELE.id}/messages/${item}`);
  const total = file.bytes.length;
  const statuses: number[] = [];
  for (let first = 0; first < total; first += SLICE_BYTES) {
    const last = Math.min(first + SLICE_BYTES, total) - 1;
    const answer = await fetch(url, {
      method: 'PUT',
      headers: { 'content-range': `bytes ${first}-${last}/${total}` },
      body: new Blob([file.bytes.subarray(first, last + 1)]).stream(),
      ...{ duplex: 'half' },
    });
    statuses.push(answer.status);
    await answer.arrayBuffer();
  }
  return statuses;
}

test('carries 32 files of 20 MB to one mailbox at once, four pieces at a time, and holds a slice of each at most', async () => {
  await upload('warm'); // Everything is loaded.

  const uploads = Promise.all(Array.from({ length: AT_ONCE }, (_, n) => upload(`memory${n}`)));
  const growth = await growthDuring(site.host.workerPid, uploads);

  process.stdout.write(`${AT_ONCE} uploads of 20 MB: the worker grew by ${Math.round(growth)} MiB\n`);
  expect(await uploads).toEqual(Array(AT_ONCE).fill([200, 200, 200, 201]));
  const hashes = Array.from({ length: AT_ONCE }, (_, n) => site.graph.attachments(ADELE.id, `memory${n}`)).flat();
  expect(hashes.map(({ sha256 }) => sha256)).toEqual(Array(AT_ONCE).fill(file.sha256));
  expect(site.graph.maxConcurrentChunksPerMailbox).toBe(4);
  expect(growth).toBeLessThan(MOST_GROWTH_MEBIBYTES);
});
