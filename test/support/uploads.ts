import { createHash, randomBytes } from 'node:crypto';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { postJson, type Site } from './site.ts';

/** A file of random bytes. */
export interface TestFile {
  readonly name: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

export function fileOf(sizeBytes: number, name = 'report.pdf'): TestFile {
  const bytes = randomBytes(sizeBytes);
  return { name, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Where an upload continues, and what the session said at the start. */
export interface OpenedUpload {
  readonly url: string;
  readonly session: Readonly<Record<string, unknown>>;
}

/** Opens an upload session for the file; the site's UPLOAD_URL decides whose address comes back. */
export async function openUpload(
  { api }: Pick<Site, 'api'>,
  { name, bytes }: TestFile,
  item: string = `me/messages/${ADELE.items.message[0]}`,
  headers: Readonly<Record<string, string>> = {},
): Promise<OpenedUpload> {
  const declared = { attachmentType: 'file', name, size: bytes.byteLength };
  const body = item.includes('/todo/') ? { attachmentInfo: declared } : { AttachmentItem: declared };
  const answer = await postJson(`${api}/${item}/attachments/createUploadSession`, body, headers);
  const session: unknown = await answer.json();
  if (answer.status > 201 || typeof session !== 'object' || session === null || !('uploadUrl' in session)) {
    throw new Error(`No session: ${answer.status} ${JSON.stringify(session)}`);
  }
  return { url: String(session.uploadUrl), session: { ...session } };
}

/** Sends bytes first to last, both in it. */
export function putRange(
  url: string,
  { bytes }: Pick<TestFile, 'bytes'>,
  first: number,
  last: number,
  headers: Readonly<Record<string, string>> = {},
  signal: AbortSignal | null = null,
): Promise<Response> {
  return fetch(url, {
    method: 'PUT',
    headers: {
      'content-range': `bytes ${first}-${last}/${bytes.byteLength}`,
      'content-type': 'application/octet-stream',
      ...headers,
    },
    body: bytes.subarray(first, last + 1),
    signal,
  });
}

/** Sends the rest of the file from `offset` in slices, and gives back every answer. */
export async function putFile(url: string, file: TestFile, sliceBytes: number, offset = 0): Promise<Response[]> {
  const answers: Response[] = [];
  for (let first = offset; first < file.bytes.byteLength; first += sliceBytes) {
    answers.push(await putRange(url, file, first, Math.min(first + sliceBytes, file.bytes.byteLength) - 1));
  }
  return answers;
}
