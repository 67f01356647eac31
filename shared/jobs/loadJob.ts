import type { InvocationContext } from '@azure/functions';
import { tokensForJob } from '../access/tokensForUpload.ts';
import type { Deadline } from '../common/deadline.ts';
import { IDLE_TIMEOUT_MS, MAX_JOB_PAUSE_MS, SOURCE_RESPONSE_TIMEOUT_MS } from '../common/limits.ts';
import type { Dependencies } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import { parseRetryAfter, retryDelayMs } from '../graph/retryDelay.ts';
import type { LogEntry } from '../logging/logEntry.ts';
import { openUrl, type UrlSource } from '../sources/urlSource.ts';
import { openTransfer } from '../uploads/loadUpload.ts';
import type { UploadLease } from '../uploads/uploadStore.ts';
import type { StoredJob } from './storedJob.ts';
import type { LoadedJob } from './transferFile.ts';

/**
 * What going on with a job needs. Nothing in it waits for long: a run that is asked to wait ends.
 *
 * @param open opens the source; openUrl unless a test says otherwise
 */
export async function loadJob(
  stored: StoredJob,
  lease: UploadLease | undefined,
  deadline: Deadline,
  logEntry: LogEntry,
  context: Pick<InvocationContext, 'traceContext'>,
  dependencies: Dependencies,
  open: typeof openUrl = openUrl,
): Promise<LoadedJob> {
  const { wantsImmutableIds, job } = stored.record;
  const tokens = tokensForJob(stored.record, dependencies);
  const patient: Deadline = { ...deadline, remainingMs: () => Math.min(deadline.remainingMs(), MAX_JOB_PAUSE_MS) };
  const traceParent = context.traceContext?.traceParent;
  const { item, progress, uploadContext } = await openTransfer(
    stored,
    {
      call: { clientRequestId: job.clientRequestId, traceParent, wantsImmutableIds },
      context: { tokens, deadline: patient, logEntry },
      deadline,
      retryTimeoutMs: Number.POSITIVE_INFINITY,
      lease,
    },
    dependencies,
  );
  let sourceAskedMs: number | undefined;
  return {
    item,
    progress,
    uploadContext: { ...uploadContext, retryRemainingMs: patient.remainingMs },
    openSource(offset) {
      const onLongWait = (ms: number) => {
        sourceAskedMs = ms;
      };
      return openJobSource(
        stored.record,
        offset,
        { isDevelopment: dependencies.config.isDevelopment, onLongWait, open },
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
  readonly open: typeof openUrl;
}

/** @throws ServiceError as openUrl does, and SourceChanged for a file of another length */
function openJobSource(
  { job, attachment }: StoredJob['record'],
  offset: number,
  { isDevelopment, onLongWait, open }: SourceOptions,
  signal: AbortSignal,
): Promise<UrlSource> {
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
      times: { answerMs: SOURCE_RESPONSE_TIMEOUT_MS, silenceMs: IDLE_TIMEOUT_MS, retryDelay },
    },
    signal,
  );
}
