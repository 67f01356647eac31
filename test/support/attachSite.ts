import { request } from 'node:http';
import { createCertificate } from '../../local/emulators/common/certificate.ts';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { postJson, type Site, startSite, type TestSiteOptions } from './site.ts';
import { type SourceServer, startSourceServer } from './sourceServer.ts';
import type { TestFile } from './uploads.ts';

const ADELES = `users/${ADELE.id}`;

/** The attachments of each kind of item that the emulated mailbox has. */
export const ITEMS = {
  message: { path: `${ADELES}/messages/${ADELE.items.message[0]}/attachments`, id: ADELE.items.message[0] },
  event: { path: `${ADELES}/events/${ADELE.items.event[0]}/attachments`, id: ADELE.items.event[0] },
  task: {
    path: `${ADELES}/todo/lists/${ADELE.items.todoTaskList[0]}/tasks/${ADELE.items.todoTask[0]}/attachments`,
    id: ADELE.items.todoTask[0],
  },
} as const;

export interface AttachSite extends Site {
  /** A server of files that the policy admits as a source. */
  readonly source: SourceServer;
}

/** A site whose callers may attach to every item, from the source server too. */
export async function startAttachSite(options: TestSiteOptions = {}): Promise<AttachSite> {
  const certificate = await createCertificate();
  const source = await startSourceServer(certificate);
  const caller = {
    name: 'Everyone',
    functionKey: true,
    mailboxes: ['*'],
    kinds: ['message', 'event', 'todoTask'],
    sources: [`${source.origin}/`],
  };
  const site = await startSite({
    storage: true,
    certificate,
    ...options,
    settings: {
      POLICY: JSON.stringify({ callers: [caller] }),
      ...options.settings,
    },
    graph: { appOnlyFamilies: 'all', ...options.graph },
  });
  return {
    ...site,
    source,
    async close() {
      await Promise.all([site.close(), source.close()]);
    },
  };
}

export interface AttachAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Posts bytes, chunked or with their length. */
export function postBytes(
  url: string,
  bytes: Buffer,
  headers: Readonly<Record<string, string>> = {},
  isChunked = false,
): Promise<AttachAnswer> {
  return new Promise((resolve, reject) => {
    const framing = isChunked ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(bytes.byteLength) };
    const outgoing = request(url, { method: 'POST', headers: { ...framing, ...headers }, agent: false });
    outgoing.once('error', reject);
    outgoing.once('response', async (incoming) => {
      let body = '';
      for await (const chunk of incoming) body += chunk;
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body });
    });
    outgoing.end(bytes);
  });
}

export type Way = 'with its length' | 'chunked' | 'in JSON' | 'from an address' | "in a workflow's chunks";

type Attach = (
  site: AttachSite,
  path: string,
  file: TestFile,
  headers?: Record<string, string>,
) => Promise<AttachAnswer>;

/** The ways to attach a PDF in one call; of a workflow's chunks the last one's answer. */
export const WAYS: Readonly<Record<Way, Attach>> = {
  'with its length': (site, path, file, headers) =>
    postBytes(addressOf(site, path, file), file.bytes, { ...PDF, ...headers }),
  chunked: (site, path, file, headers) =>
    postBytes(`${addressOf(site, path, file)}&size=${file.bytes.length}`, file.bytes, { ...PDF, ...headers }, true),
  'in JSON': (site, path, { name, bytes }, headers) =>
    postFile(site, path, { name, contentType: PDF['content-type'], contentBytes: bytes.toString('base64') }, headers),
  'from an address': async (site, path, { name, bytes, sha256 }, headers) => {
    site.source.put(`/${sha256}`, { bytes, contentType: PDF['content-type'] });
    return postFile(site, path, { name, sourceUrl: `${site.source.origin}/${sha256}` }, headers);
  },
  "in a workflow's chunks": async (site, path, file, headers) => {
    const opening = await postBytes(addressOf(site, path, file), Buffer.alloc(0), {
      ...PDF,
      'x-ms-transfer-mode': 'chunked',
      'x-ms-content-length': String(file.bytes.length),
      ...headers,
    });
    return opening.status === 200 ? patchChunks(String(opening.headers['location']), file) : opening;
  },
};

/** Sends a file in chunks as the engine of Logic Apps does, up to the first answer that it would not take. */
export async function patchChunks(location: string, { bytes }: TestFile): Promise<AttachAnswer> {
  for (let first = 0; ; first += MAX_CHUNK_BYTES) {
    const last = Math.min(first + MAX_CHUNK_BYTES, bytes.byteLength) - 1;
    const headers = { 'content-range': `bytes ${first}-${last}/${bytes.byteLength}` };
    const answer = await fetch(location, { method: 'PATCH', headers, body: bytes.subarray(first, last + 1) });
    const isTaken = answer.status === 200 && answer.headers.get('range') === `bytes=0-${last}`;
    if (isTaken && last + 1 < bytes.byteLength) continue;
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
  }
}

/** The x-ms-chunk-size that the proxy names. */
const MAX_CHUNK_BYTES = 3_932_160;

const PDF = { 'content-type': 'application/pdf' } as const;

function addressOf({ api }: Site, path: string, { name }: TestFile): string {
  return `${api}/${path}?name=${encodeURIComponent(name)}`;
}

/** Posts Graph's JSON for a file. */
export async function postFile(
  { api }: Site,
  path: string,
  members: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<AttachAnswer> {
  const type = path.includes('/todo/') ? 'taskFileAttachment' : 'fileAttachment';
  const answer = await postJson(`${api}/${path}`, { '@odata.type': `#microsoft.graph.${type}`, ...members }, headers);
  return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
}
