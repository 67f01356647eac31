import { randomBytes } from 'node:crypto';
import { createCertificate } from '../../../local/emulators/common/certificate.ts';
import { ADELE } from '../../../local/emulators/graph/seed.ts';
import { fillJsonMemory } from '../fillJsonMemory.ts';
import { postJson, startSite } from '../site.ts';
import { type SourceFault, startSourceServer } from '../sourceServer.ts';
import type { Provocations } from './provocations.ts';

const BYTES = randomBytes(4_000_000);

/** One request for each code that attaching a file in one call can give, its source included. */
export async function startFileErrors(itemPath: string): Promise<Provocations> {
  const certificate = await createCertificate();
  const source = await startSourceServer(certificate);
  const caller = {
    name: 'All',
    functionKey: true,
    kinds: ['message'],
    mailboxes: [ADELE.userPrincipalName],
    me: ADELE.userPrincipalName,
    sources: [`${source.origin}/`],
  };
  const site = await startSite({
    certificate,
    storage: true,
    settings: { POLICY: JSON.stringify({ callers: [caller] }) },
  });
  const url = `${site.api}/${itemPath}`;

  const send = (query: string, headers: Record<string, string>, body: Buffer | ReadableStream | string) =>
    fetch(`${url}?name=a${query}`, { method: 'POST', headers, body, ...{ duplex: 'half' } });
  const sendChunked = (query: string) => send(query, {}, new Blob([BYTES]).stream());
  const attachFrom = (sourceUrl: string, headers = {}) =>
    postJson(url, { '@odata.type': '#microsoft.graph.fileAttachment', name: 'a', sourceUrl }, headers);
  const attachFaulty = (...faults: readonly SourceFault[]) => {
    source.put('/file', { bytes: BYTES, faults });
    return attachFrom(`${source.origin}/file`);
  };
  return {
    codes: {
      SizeMismatch: () => sendChunked(`&size=${BYTES.byteLength + 1}`),
      LengthRequired: () => sendChunked(''),
      ChunkingNotSupported: () => postJson(url, '', { 'x-ms-transfer-mode': 'chunked', 'x-ms-content-length': '4000' }),
      IdempotencyKeyReused: async () => {
        const headers = { 'idempotency-key': 'one-key' };
        await send('', headers, 'a file');
        return send('&isInline=true', headers, 'a file');
      },
      SourceNotAllowed: () => attachFrom('https://files.contoso.example/file'),
      SourceRefused: () => attachFaulty({ kind: 'status', status: 404 }),
      SourceUnusable: () => attachFaulty({ kind: 'noLength' }),
      SourceChanged: () =>
        attachFaulty({ kind: 'breaksOff', afterBytes: 1_000_000, times: 1 }, { kind: 'changes', sizeBytes: 3_000_000 }),
      InstanceBusy: async () => {
        const { hangUp } = await fillJsonMemory(site, url);
        const refused = await postJson(url, { name: 'a', contentBytes: 'QUJD' });
        hangUp();
        return refused;
      },
      JobsNotConfigured: () => attachFrom(`${source.origin}/file`, { prefer: 'respond-async' }),
      SourceUnavailable: () => attachFaulty({ kind: 'status', status: 500 }),
    },
    async close() {
      await Promise.all([site.close(), source.close()]);
    },
  };
}
