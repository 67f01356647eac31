import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Agent } from 'node:https';
import { abortable } from '../common/deadline.ts';
import { ServiceError } from '../errors.ts';
import { foreignCoding } from './contentCoding.ts';
import type { DeclaredFile } from './declaredFile.ts';
import { isRefusedByGuard } from './guardedAgent.ts';

/** What is known of the file at the source, and what is wanted of it next. */
export interface SourceRequest {
  readonly url: URL;
  readonly offset: number;
  /** The file that was begun; undefined for the first answer, which says what the file is. */
  readonly known: KnownFile | undefined;
  /** What the caller says of the file. */
  readonly declared: SaidOfFile | undefined;
  /** False for a source that took a range of an empty file for a fault. */
  readonly asksRange: boolean;
}

export type SaidOfFile = Pick<DeclaredFile, 'name' | 'contentType'>;

export interface KnownFile {
  readonly totalBytes: number;
  /** A strong entity tag; undefined where the source gives none: then nothing can be fetched in the middle. */
  readonly etag: string | undefined;
}

/** What one request came to. What is neither is a ServiceError. */
export type SourceResponse =
  | {
      readonly kind: 'bytes';
      readonly file: KnownFile;
      readonly contentType: string | undefined;
      readonly body: IncomingMessage;
      /** The end of what this answer holds: of the file, unless the source sends it in parts. */
      readonly endOffset: number;
    }
  | { readonly kind: 'failed'; readonly cause: unknown; readonly retryAfter: string | undefined }
  | { readonly kind: 'noRangeOfEmptyFile' };

/**
 * Asks for the bytes from an offset on, of the file that was begun and of no other: RFC 9110, sections 13.1.5 (If-Range), 14.2
 * (Range) and 15.3.7 (206). Redirects are not followed; no credentials and no cookies are sent.
 *
 * @throws ServiceError SourceNotAllowed, SourceRefused, SourceUnusable, SourceChanged; the signal's reason
 */
export async function requestSource(ask: SourceRequest, agent: Agent, signal: AbortSignal): Promise<SourceResponse> {
  let body: IncomingMessage;
  try {
    body = await send(ask, agent, signal);
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    if (isRefusedByGuard(cause)) {
      const message = 'The host name of the sourceUrl leads to an address that must not be connected to.';
      throw new ServiceError('SourceNotAllowed', message, { cause });
    }
    return { kind: 'failed', cause, retryAfter: undefined };
  }
  try {
    const answer = readAnswer(ask, body);
    if (answer.kind !== 'bytes') body.destroy();
    return answer;
  } catch (error) {
    body.destroy();
    throw error;
  }
}

async function send({ url, offset, known, asksRange }: SourceRequest, agent: Agent, signal: AbortSignal) {
  const { request } = await import('./sourceLibrary.ts');
  const sent = request(url, {
    agent,
    headers: {
      accept: '*/*',
      'accept-encoding': 'identity',
      'user-agent': 'graph-upload-session-proxy',
      ...(asksRange && { range: `bytes=${offset}-` }),
      ...(asksRange && known?.etag !== undefined && { 'if-range': known.etag }),
    },
  });
  try {
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve);
      sent.on('error', reject);
    });
    sent.end();
    const body = await abortable(answered, signal);
    body.on('error', () => {}); // It may break before anyone reads; whoever does sees the error.
    return body;
  } catch (error) {
    sent.destroy();
    throw error;
  }
}

function readAnswer({ url, offset, known, declared }: SourceRequest, body: IncomingMessage): SourceResponse {
  const { statusCode: status = 0, headers } = body;
  if (status === 408 || status === 429 || status >= 500) {
    const cause = new Error(`The source answered ${status}.`);
    return { kind: 'failed', cause, retryAfter: headers['retry-after'] };
  }
  if (status === 416 && offset === 0 && known === undefined) return { kind: 'noRangeOfEmptyFile' };
  if (status === 416) throw changed();
  if (status >= 300) throw refused(status);
  if (status !== 200 && status !== 206) throw unusable(`It answered ${status}, not 200 or 206.`);
  const coding = foreignCoding(headers['content-encoding'], {
    names: [url.pathname, declared?.name ?? ''],
    types: [headers['content-type'], declared?.contentType],
  });
  if (coding !== undefined) {
    const ways =
      'Store it without that header, or, if the stored file is the archive itself, name it so (such as .gz).';
    throw unusable(`It sends the file compressed or encrypted (Content-Encoding: ${coding}). ${ways}`);
  }
  const etag = strongTag(headers);
  const range = status === 206 ? rangeOf(headers, offset) : wholeOf(headers);
  checkSame(known, { totalBytes: range.totalBytes, etag });
  if (status === 200 && offset > 0) throw unusable(`It broke off at byte ${offset} and does not go on in the middle.`);
  const file = { totalBytes: range.totalBytes, etag };
  return { kind: 'bytes', file, contentType: headers['content-type'], body, endOffset: range.endOffset };
}

/** RFC 9110, section 8.8.3; a weak tag does not promise the same bytes. */
function strongTag({ etag }: IncomingHttpHeaders): string | undefined {
  return etag !== undefined && /^"[\x21\x23-\x7e\x80-\xff]*"$/.test(etag) ? etag : undefined;
}

interface Range {
  readonly totalBytes: number;
  readonly endOffset: number;
}

function rangeOf(headers: IncomingHttpHeaders, offset: number): Range {
  const [, first, last, total] =
    /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i.exec(headers['content-range'] ?? '') ?? [];
  const range = { totalBytes: Number(total), endOffset: Number(last) + 1 };
  if (Number(first) !== offset || range.endOffset <= offset || range.endOffset > range.totalBytes) {
    throw unusable('Its Content-Range is missing, or is not the range that was requested, or has no total size.');
  }
  return range;
}

function wholeOf(headers: IncomingHttpHeaders): Range {
  const length = headers['content-length'];
  if (length === undefined || !/^\d{1,15}$/.test(length))
    throw unusable('It does not say how long the file is: it sends no Content-Length.');
  return { totalBytes: Number(length), endOffset: Number(length) };
}

/** Checked besides If-Range, which not every server knows: Azure Storage is one that does not name it among its conditions. */
function checkSame(known: KnownFile | undefined, { totalBytes, etag }: KnownFile): void {
  if (known === undefined) return;
  if (known.totalBytes !== totalBytes || (known.etag !== undefined && known.etag !== etag)) throw changed();
}

function refused(status: number): ServiceError {
  const how = status < 400 ? `a redirect (${status}), which is not followed` : String(status);
  return new ServiceError('SourceRefused', `The source answered ${how}.`);
}

function changed(): ServiceError {
  return new ServiceError('SourceChanged', 'The file at the source changed while it was read. Nothing is attached.');
}

export function unusable(why: string, cause?: unknown): ServiceError {
  return new ServiceError('SourceUnusable', `The source cannot be used. ${why}`, { cause });
}
