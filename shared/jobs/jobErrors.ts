import { asServiceError, ServiceError } from '../errors.ts';
import { GraphError } from '../graph/graphError.ts';
import { type UploadFailure, uploadFailureOf } from '../graph/graphResponse.ts';
import { parseRetryAfter } from '../graph/retryDelay.ts';
import type { JobReason } from './jobRecord.ts';

/** What a run that went no further means for its job. */
export type JobFailure =
  /** Nothing will change by trying again. */
  | { readonly kind: 'final'; readonly error: UploadFailure }
  /** @param askedMs how long Graph or the source has asked to wait */
  | { readonly kind: 'passing'; readonly reason: JobReason; readonly askedMs: number | undefined };

/** Of our own 4xx, those that another run may not meet; a source that broke off is read from its start again. */
const PASSING_CODES = ['MailboxBusy', 'UploadBusy', 'RequestBodyTimeout', 'SourceUnusable'];

/** Graph's 4xx that do not refuse the file: its token, a timeout, another writer at the item, throttling. */
const PASSING_STATUSES = [401, 408, 412, 423, 429];

/** @param sourceAskedMs how long the source has asked to wait in this run */
export function jobFailureOf(error: unknown, sourceAskedMs: number | undefined): JobFailure {
  if (error instanceof GraphError) {
    const { response } = error;
    const { code, message } = uploadFailureOf(response);
    const isFinal = response.status >= 400 && response.status < 500 && !PASSING_STATUSES.includes(response.status);
    if (isFinal) return { kind: 'final', error: { status: response.status, code, message } };
    return passing({ code, message }, response.headers['retry-after']);
  }
  const { code, status, message, headers } = asServiceError(error);
  const isFinal = status < 500 && !PASSING_CODES.includes(code);
  if (isFinal) return { kind: 'final', error: { status, code, message } };
  return passing({ code, message }, headers['retry-after'], sourceAskedMs);
}

function passing(reason: JobReason, retryAfter: string | undefined, otherwiseMs?: number): JobFailure {
  return { kind: 'passing', reason, askedMs: parseRetryAfter(retryAfter, Date.now()) ?? otherwiseMs };
}

/** The end of a job for which there was no end in sight. Never a 5xx: whoever polls would take that for a passing fault. */
export function jobFailed(why: string, reason: JobReason | undefined): UploadFailure {
  const last = reason === undefined ? '' : ` The last reason: ${reason.code}: ${reason.message}`;
  const { status, code, message } = new ServiceError('JobFailed', `${why}${last}`);
  return { status, code, message };
}
