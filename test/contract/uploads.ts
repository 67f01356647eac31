import { type Answer, attachmentItem, type GraphBench, MESSAGE } from './emulators.ts';

export interface PutOptions {
  readonly total?: number;
  readonly body?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Opens a session on a message and returns its uploadUrl. */
export async function openUpload(
  bench: GraphBench,
  members: Record<string, unknown> = {},
  path = MESSAGE,
): Promise<string> {
  const { json } = await bench.create(path, attachmentItem(members));
  return String(json['uploadUrl']);
}

/** PUTs the bytes from `start` up to, not including, `end`. */
export function putPiece(
  bench: GraphBench,
  url: string,
  file: Buffer,
  start: number,
  end: number,
  { total = file.length, body = file.subarray(start, end), headers = {}, ...rest }: PutOptions = {},
): Promise<Answer> {
  const range = `bytes ${start}-${end - 1}/${total}`;
  return bench.call('PUT', url, {
    ...rest,
    body,
    headers: { 'content-range': range, 'content-type': 'application/octet-stream', ...headers },
  });
}
