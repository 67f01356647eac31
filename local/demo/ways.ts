import path from 'node:path';
import { Client, FileUpload, LargeFileUploadTask, type Range } from '@microsoft/microsoft-graph-client';

export interface DemoFile {
  readonly name: string;
  readonly content: Blob;
  /** Where the proxy can read it. */
  readonly url: string;
}

export interface Way {
  readonly name: string;
  /** The sizes that it takes, in bytes. */
  readonly from: number;
  readonly to: number;
  /** Attaches the file to the item whose attachments are at this address, and resolves to the attachment's id. */
  attach(attachments: URL, file: DemoFile, onProgress: (sentBytes: number) => void): Promise<string>;
}

const MEBIBYTE = 1024 * 1024;
const MAX_BYTES = 150 * MEBIBYTE;
/** 12 × 320 KiB, under the 4 MB that Outlook takes at a time: learn.microsoft.com/graph/outlook-large-attachments */
const RANGE_BYTES = 3_932_160;
/** A multiple of three, so that base64 of the pieces is base64 of the whole. */
const PIECE_BYTES = 49_152;

/** Every way that a file can take to an item. */
export const WAYS: readonly Way[] = [
  { name: 'Bytes in one call', from: 0, to: MAX_BYTES, attach: attachBytes },
  { name: "Graph's own JSON in one call", from: 0, to: 25 * MEBIBYTE, attach: attachJson },
  { name: 'From an address', from: 0, to: MAX_BYTES, attach: attachAddress },
  { name: 'Chunks, as workflows send them', from: 1, to: MAX_BYTES, attach: attachChunks },
  { name: 'An upload session, with a stock client', from: 3_000_000, to: MAX_BYTES, attach: attachBySession },
];

async function attachBytes(attachments: URL, { name, content }: DemoFile, onProgress: (sentBytes: number) => void) {
  const address = withQuery(attachments, { name, size: String(content.size) });
  const body = ReadableStream.from(pieces(content, (piece) => piece, onProgress));
  return idOf(await fetch(address, { method: 'POST', body, duplex: 'half' }));
}

async function attachJson(attachments: URL, { name, content }: DemoFile, onProgress: (sentBytes: number) => void) {
  const start = `{"@odata.type":"#microsoft.graph.fileAttachment","name":${JSON.stringify(name)},"contentBytes":"`;
  async function* json() {
    yield Buffer.from(start);
    yield* pieces(content, (piece) => Buffer.from(piece.toString('base64')), onProgress);
    yield Buffer.from('"}');
  }
  const headers = { 'content-type': 'application/json' };
  return idOf(await fetch(attachments, { method: 'POST', headers, body: ReadableStream.from(json()), duplex: 'half' }));
}

/** Whoever serves the file says how far it is. */
async function attachAddress(attachments: URL, { name, url }: DemoFile, onProgress: (sentBytes: number) => void) {
  const onMessage = (message: unknown) => {
    if (typeof message === 'object' && message !== null && 'servedBytes' in message)
      onProgress(Number(message.servedBytes));
  };
  process.on('message', onMessage);
  try {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ name, sourceUrl: url });
    return await idOf(await fetch(attachments, { method: 'POST', headers, body }));
  } finally {
    process.off('message', onMessage);
  }
}

async function attachChunks(attachments: URL, { name, content }: DemoFile, onProgress: (sentBytes: number) => void) {
  const { size } = content;
  const opening = await fetch(withQuery(attachments, { name }), {
    method: 'POST',
    headers: { 'x-ms-transfer-mode': 'chunked', 'x-ms-content-length': String(size) },
  });
  const chunkBytes = Number(opening.headers.get('x-ms-chunk-size'));
  const location = opening.headers.get('location');
  if (location === null) return idOf(opening);
  for (let first = 0; ; first += chunkBytes) {
    const chunk = content.slice(first, first + chunkBytes);
    const last = first + chunk.size - 1;
    const headers = { 'content-range': `bytes ${first}-${last}/${size}` };
    const answer = await fetch(location, { method: 'PATCH', headers, body: chunk });
    onProgress(last + 1);
    if (!answer.ok || last + 1 === size) return idOf(answer);
    await answer.arrayBuffer();
  }
}

async function attachBySession(attachments: URL, { name, content }: DemoFile, onProgress: (sentBytes: number) => void) {
  const client = Client.init({ baseUrl: new URL('/api/', attachments).href, authProvider: (done) => done(null, '') });
  const itemPath = path.posix.relative('/api/v1.0', attachments.pathname);
  const session = await LargeFileUploadTask.createUploadSession(client, `/${itemPath}/createUploadSession`, {
    AttachmentItem: { attachmentType: 'file', name, size: content.size },
  });
  const task = new LargeFileUploadTask(client, new FileUpload(content, name, content.size), session, {
    rangeSize: RANGE_BYTES,
    uploadEventHandlers: { progress: (range?: Range) => onProgress((range?.maxValue ?? -1) + 1) },
  });
  const { location } = await task.upload();
  const id = /attachments\('([^']+)'\)$/i.exec(decodeURIComponent(location))?.[1];
  if (id === undefined) throw new Error('The upload host named no attachment.');
  return id;
}

async function* pieces(
  content: Blob,
  change: (piece: Buffer) => Buffer,
  onProgress: (sentBytes: number) => void,
): AsyncGenerator<Buffer> {
  for (let start = 0; start < content.size; start += PIECE_BYTES) {
    const piece = Buffer.from(await content.slice(start, start + PIECE_BYTES).arrayBuffer());
    yield change(piece);
    onProgress(start + piece.length);
  }
}

function withQuery(address: URL, query: Readonly<Record<string, string>>): URL {
  const url = new URL(address);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

async function idOf(answer: Response): Promise<string> {
  const text = await answer.text();
  if (!answer.ok) throw new Error(`The proxy answered ${answer.status}: ${text}`);
  const { id }: { readonly id: string } = JSON.parse(text);
  return id;
}
