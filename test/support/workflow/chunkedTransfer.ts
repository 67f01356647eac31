import { readContent, type WireContent } from './messageContent.ts';
import type { EngineAnswer } from './sendRequest.ts';

/** The engine gives up on an action whose answers are not those of its protocol, with these codes. */
export class ProtocolFault extends Error {
  override readonly name = 'ProtocolFault';
  readonly code: 'InvalidProtocolResponse' | 'InvalidContentRangeHeader';

  constructor(code: ProtocolFault['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export interface ChunkedTransfer {
  readonly content: WireContent;
  /** `bytes=` is the documented form, `bytes ` what servers have seen. */
  readonly rangeUnit: 'bytes ' | 'bytes=';
  /** Sends the action's own request without its body. */
  open(headers: Readonly<Record<string, string>>): Promise<EngineAnswer>;
  sendChunk(url: string, headers: Readonly<Record<string, string>>, bytes: Buffer): Promise<EngineAnswer>;
}

/** JSON just over 1 kB has been seen to go in chunks (LogicAppUnit/TestingFramework#24). */
export const WHOLE_UP_TO_BYTES = 1024;

/** What the engine sends at once where the server names no size (3drepo/3drepo.io). */
const OWN_CHUNK_BYTES = 50 * 1024 * 1024;

/**
 * Sends a body in chunks as the engine does, and gives back the answer that becomes the action's output: that to the last chunk, or
 * the first one that is an error. (learn.microsoft.com/azure/logic-apps/logic-apps-handle-large-messages, "Upload content in
 * chunks to service"; what the page does not say is from servers built against the live engine)
 *
 * @throws ProtocolFault, ContentFault where the real engine fails the action
 */
export async function transferInChunks(transfer: ChunkedTransfer): Promise<EngineAnswer> {
  const { content, rangeUnit } = transfer;
  const total = content.bytes.length;
  const opened = await transfer.open({ 'x-ms-transfer-mode': 'chunked', 'x-ms-content-length': String(total) });
  if (opened.statusCode >= 400) return opened;
  expectOk(opened);
  const location = readLocation(opened);
  let chunkBytes = readChunkSize(opened) ?? OWN_CHUNK_BYTES;
  for (let first = 0; ; ) {
    const last = Math.min(first + chunkBytes, total) - 1;
    const headers = { 'content-type': content.contentType, 'content-range': `${rangeUnit}${first}-${last}/${total}` };
    const answer = await transfer.sendChunk(location, headers, content.bytes.subarray(first, last + 1));
    if (answer.statusCode >= 400) return answer;
    expectOk(answer);
    expectRange(answer, last);
    if (last + 1 === total) return answer;
    chunkBytes = readChunkSize(answer) ?? chunkBytes;
    first = last + 1;
  }
}

/** 200 is what the page names; 202 would begin the polling of asynchronous operations. */
function expectOk({ statusCode, headers, bytes }: EngineAnswer): void {
  readContent(bytes, headers['content-type']);
  if (statusCode === 200) return;
  throw new ProtocolFault(
    'InvalidProtocolResponse',
    `The response to a partial content request has status ${statusCode}.`,
  );
}

function readLocation({ headers }: EngineAnswer): string {
  const location = headers['location'] ?? '';
  const url = URL.parse(location);
  const isAbsolute = url?.protocol === 'https:' || url?.protocol === 'http:';
  const isLocal = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url?.hostname ?? '');
  if (isAbsolute && !isLocal && !location.includes('%')) return location;
  throw new ProtocolFault(
    'InvalidProtocolResponse',
    `The location header value '${location}' must be a well formed absolute URI not referencing local host or UNC path.`,
  );
}

function readChunkSize({ headers }: EngineAnswer): number | undefined {
  const size = headers['x-ms-chunk-size'];
  if (size === undefined) return undefined;
  if (/^[1-9]\d*$/.test(size)) return Number(size);
  throw new ProtocolFault('InvalidProtocolResponse', `x-ms-chunk-size is '${size}'.`);
}

function expectRange({ headers }: EngineAnswer, last: number): void {
  const range = headers['range'];
  if (range === `bytes=0-${last}`) return;
  throw new ProtocolFault(
    'InvalidContentRangeHeader',
    `The range header '${range ?? '<null>'}' is not in the expected range 0-${last}, unit bytes.`,
  );
}
