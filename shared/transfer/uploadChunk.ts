import { Readable } from 'node:stream';
import { CHUNK_RESPONSE_TIMEOUT_MS } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import { type AttemptResult, type GraphResponse, parseBody } from '../graph/graphResponse.ts';
import { readExpectedOffset } from '../graph/uploadSession.ts';
import type { ByteRange } from './contentRange.ts';
import { retryUntilSettled, type UploadContext, withSlot } from './uploadContext.ts';

/** An attempt hands over at most this much at once, so that each step shows that the upload host still takes bytes. */
const STEP_BYTES = 256 * 1024;

/** The outcome of one chunk after all its attempts. */
export type ChunkOutcome =
  | { readonly kind: 'taken' }
  /** The last chunk: the attachment is there. */
  | { readonly kind: 'attached'; readonly location: string }
  /** Graph has bytes of this range already. */
  | { readonly kind: 'overlap' }
  /** Graph knows no such session, or no longer. */
  | { readonly kind: 'noSession'; readonly response: GraphResponse }
  | { readonly kind: 'refused'; readonly response: GraphResponse }
  /** No attempt got a response that settles it. */
  | { readonly kind: 'unsettled'; readonly last: AttemptResult };

export interface UploadedChunk {
  readonly outcome: ChunkOutcome;
  /** Graph may have taken the chunk in an attempt whose response was lost, before the outcome came. */
  readonly isAmbiguous: boolean;
  readonly attempts: number;
}

/**
 * Sends one chunk until Graph has settled it. The proxy retries after 412, 423, 429, 5xx, a failed connection and a missing
 * response while the wait fits. A retry sends the same bytes; it is safe because a session takes each byte once.
 */
export async function uploadChunk(
  uploadContext: UploadContext,
  range: ByteRange,
  bytes: Buffer,
): Promise<UploadedChunk> {
  let isAmbiguous = false;
  let attempts = 0;
  const last = await retryUntilSettled(
    uploadContext,
    async (token) => {
      attempts += 1;
      const result = await attempt(uploadContext, range, bytes, token);
      isAmbiguous ||= isLost(result, range);
      return result;
    },
    (response) => outcomeOf(response, range) !== undefined,
  );
  const outcome = last.kind === 'response' ? outcomeOf(last.response, range) : undefined;
  return { outcome: outcome ?? { kind: 'unsettled', last }, isAmbiguous, attempts };
}

/** One attempt. It ends if the upload host takes no more bytes for a while, or sends no response after the last of them. */
async function attempt(
  uploadContext: UploadContext,
  range: ByteRange,
  bytes: Buffer,
  token: string | undefined,
): Promise<AttemptResult> {
  const { client: host, deadline } = uploadContext;
  const idle = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const body = Readable.from(
    inSteps(bytes, () => timer?.refresh()),
    { objectMode: false },
  );
  try {
    return await withSlot(uploadContext, deadline.signal, () => {
      const timeoutMs = Math.min(CHUNK_RESPONSE_TIMEOUT_MS, deadline.remainingMs() / 2);
      timer = setTimeout(() => idle.abort(new ServiceError('TimedOut', 'Graph did not answer in time.')), timeoutMs);
      return host.put(uploadContext.uploadUrl(), range, body, AbortSignal.any([deadline.signal, idle.signal]), token);
    });
  } finally {
    clearTimeout(timer);
    body.destroy();
  }
}

function* inSteps(bytes: Buffer, onStep: () => void): Generator<Buffer> {
  for (let at = 0; at < bytes.byteLength; at += STEP_BYTES) {
    onStep();
    yield bytes.subarray(at, at + STEP_BYTES);
  }
}

/** Undefined for a response that settles nothing. */
function outcomeOf(response: GraphResponse, { last, total }: ByteRange): ChunkOutcome | undefined {
  const { status, headers, body } = response;
  const location = headers['location'];
  if (status === 201 && location !== undefined) return { kind: 'attached', location };
  const expected = readExpectedOffset(parseBody(body));
  if (status === 200 && expected === last + 1 && expected < total) return { kind: 'taken' };
  if (status === 416)
    return expected === undefined || expected > last ? { kind: 'overlap' } : { kind: 'refused', response };
  if (status === 404 || status === 410) return { kind: 'noSession', response };
  return isPassing(status) ? undefined : { kind: 'refused', response };
}

/**
 * A success that does not say what Graph expects next comes from something in between. 412 and 423: two writers at one item,
 * such as another upload (msgraph-sdk-dotnet, issue 1287).
 */
function isPassing(status: number): boolean {
  return status < 400 || status === 412 || status === 423 || status === 429 || status >= 500;
}

/** Whether Graph may have taken the chunk, as far as this result tells. */
function isLost(result: AttemptResult, range: ByteRange): boolean {
  if (result.kind === 'failed') return true;
  const { status } = result.response;
  return (status < 400 || status >= 500) && outcomeOf(result.response, range) === undefined;
}
