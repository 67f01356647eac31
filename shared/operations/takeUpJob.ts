import type { InvocationContext } from '@azure/functions';
import type { Deadline } from '../deadline.ts';
import { ServiceError } from '../errors.ts';
import { parseRetryAfter, retryDelayMs } from '../graph/retryDelay.ts';
import { MAX_JOB_PAUSE_MS, MAX_SILENCE_MS, SOURCE_ANSWER_TIMEOUT_MS } from '../limits.ts';
import type { RequestRecord } from '../log/requestRecord.ts';
import { type AddressSource, openAddress } from '../source/addressSource.ts';
import type { UploadLease } from '../upload/uploadStore.ts';
import type { JobUnderWay } from './carryJob.ts';
import type { Collaborators } from './collaborators.ts';
import type { StoredJob } from './storedJob.ts';
import { openTransfer } from './takeUpUpload.ts';
import { tokensForJob } from './tokensForUpload.ts';

/**
 * What going on with a job needs. Nothing in it waits for long: a run that is asked to wait ends.
 *
 * @param open opens the source; openAddress unless a test says otherwise
 */
export async function takeUpJob(
  stored: StoredJob,
  lease: UploadLease | undefined,
  deadline: Deadline,
  record: RequestRecord,
  context: Pick<InvocationContext, 'traceContext'>,
  collaborators: Collaborators,
  open: typeof openAddress = openAddress,
): Promise<JobUnderWay> {
  const { wantsImmutableIds, job } = stored.record;
  const tokens = tokensForJob(stored.record, collaborators);
  const patient: Deadline = { ...deadline, remainingMs: () => Math.min(deadline.remainingMs(), MAX_JOB_PAUSE_MS) };
  const traceParent = context.traceContext?.traceParent;
  const { item, transfer, sending } = await openTransfer(
    stored,
    {
      call: { clientRequestId: job.clientRequestId, traceParent, wantsImmutableIds },
      context: { tokens, deadline: patient, record },
      deadline,
      retryTimeoutMs: Number.POSITIVE_INFINITY,
      lease,
    },
    collaborators,
  );
  let sourceAskedMs: number | undefined;
  return {
    item,
    transfer,
    sending: { ...sending, retryRemainingMs: patient.remainingMs },
    openSource(offset) {
      const onLongWait = (ms: number) => {
        sourceAskedMs = ms;
      };
      return openJobSource(
        stored.record,
        offset,
        { isDevelopment: collaborators.config.isDevelopment, onLongWait, open },
        deadline.signal,
      );
    },
    sourceAskedMs: () => sourceAskedMs,
  };
}

interface SourceOptions {
  readonly isDevelopment: boolean;
  /** Called with the wait that the source asks for, where that is longer than a run waits. */
  readonly onLongWait: (askedMs: number) => void;
  readonly open: typeof openAddress;
}

/** @throws ServiceError as openAddress does, and SourceChanged for a file of another length */
function openJobSource(
  { job, attachment }: StoredJob['record'],
  offset: number,
  { isDevelopment, onLongWait, open }: SourceOptions,
  signal: AbortSignal,
): Promise<AddressSource> {
  const totalBytes = attachment.sizeBytes;
  const { etag } = job;
  const checkSize = (sourceBytes: number) => {
    if (sourceBytes === totalBytes) return;
    throw new ServiceError(
      'SourceChanged',
      'The file at the source has another length than when the job was asked for.',
    );
  };
  /** A wait that is asked for and longer than a run may wait fails the source, for this run. */
  const retryDelay: typeof retryDelayMs = (retryAfter, failures, now, random) => {
    const askedMs = parseRetryAfter(retryAfter, now);
    if (askedMs === undefined || askedMs <= MAX_JOB_PAUSE_MS) return retryDelayMs(retryAfter, failures, now, random);
    onLongWait(askedMs);
    return Number.POSITIVE_INFINITY;
  };
  return open(
    new URL(job.sourceUrl),
    job.sourceRule,
    {
      isDevelopment,
      checkSize,
      declared: attachment,
      ...(etag !== undefined && { resumeAt: { offset, totalBytes, etag } }),
      times: { answerMs: SOURCE_ANSWER_TIMEOUT_MS, silenceMs: MAX_SILENCE_MS, retryDelay },
    },
    signal,
  );
}
