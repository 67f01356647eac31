import { createHash, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { forgery, toBody, toQuery } from '../support/forgery.ts';
import { sendRaw } from '../support/probeApp/sendRaw.ts';
import { runs } from '../support/runs.ts';
import { type Site, startSite } from '../support/site.ts';
import { openUpload } from '../support/uploads.ts';

/** A file may be JSON whose members the host takes for headers, or for the id in the address (forgedHeads.test.ts). */
const RUNS = runs(10, 60);
const OTHER_ID = 'A'.repeat(43);
const FORGED = {
  'content-range': 'bytes 1-1/2',
  'content-length': '1',
  'content-type': 'application/json',
  'content-encoding': 'gzip',
  'x-ms-transfer-mode': 'chunked',
  authorization: 'Bearer a.b.c',
  'client-request-id': 'bbbbbbbb-1111-4222-8333-444444444444',
};

let site: Site;
beforeAll(async () => {
  site = await startSite({
    storage: true,
    settings: { UPLOAD_URL: 'proxy', ALLOW_ANY_MAILBOX: 'true' },
    graph: { anyItem: true, minimumSize: 1 },
  });
});
afterAll(() => site.close());

const cases = fc.record({ forged: forgery({ ...FORGED, id: OTHER_ID }, OTHER_ID), isChunked: fc.boolean() });

test('a file arrives byte for byte, whatever its members and the query say', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ forged, isChunked }) => {
      const bytes = toBody([['id', OTHER_ID], ...forged.members], {});
      const itemId = randomUUID();
      const file = { name: 'data.json', bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
      const { url } = await openUpload(site, file, `users/${ADELE.userPrincipalName}/messages/${itemId}`);

      const { status, headers } = await sendRaw(site.url, {
        method: 'PUT',
        target: `${new URL(url).pathname}${toQuery(forged)}`,
        headers: [
          ...['Content-Range', `bytes 0-${bytes.length - 1}/${bytes.length}`],
          ...(isChunked ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', String(bytes.length)]),
        ],
        body: bytes,
      });

      expect([status, headers['client-request-id']]).not.toContain(FORGED['client-request-id']);
      expect(status).toBe(201);
      const attached = site.graph.attachments(ADELE.userPrincipalName, itemId);
      expect(attached).toMatchObject([{ name: 'data.json', sha256: file.sha256 }]);
    }),
    { numRuns: RUNS },
  );
});
