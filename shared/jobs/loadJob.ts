import type { InvocationContext } from '@azure/functions';
import type { Deadline } from '../common/deadline.ts';
import { IDLE_TIMEOUT_MS, MAX_JOB_PAUSE_MS, SOURCE_RESPONSE_TIMEOUT_MS } from '../common/limits.ts';
import type { Dependencies } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import { type AttachmentsApi, createAttachmentsApi } from '../graph/attachmentsApi.ts';
import type { UploadFailure } from '../graph/graphResponse.ts';
import { parseRetryAfter, retryDelayMs } from '../graph/retryDelay.ts';
import type { LogEntry } from '../logging/logEntry.ts';
import type { openUrl, UrlSource } from '../sources/urlSource.ts';
import type { RecordLease } from '../storage/recordStore.ts';
import { createUploadContext, endSession, type UploadContext } from '../transfer/uploadContext.ts';
import type { JobOutcome } from './jobLog.ts';
import { JobProgress } from './jobProgress.ts';
import { currentFile, type JobFile, type StoredJob } from './jobRecord.ts';

/** The current file of a job that a run works on. */
export interface LoadedJob {
  readonly progress: JobProgress;
  readonly item: AttachmentsApi;
  readonly uploadContext: UploadContext;
  /** The file from an offset on, as it was when the job was created. */
  openSource(offset: number): Promise<UrlSource>;
  /** How long the source has asked to wait, if that is longer than a run waits. */
  sourceRetryAfterMs(): number | undefined;
}

/** The worker of a job, as far as its parts need to know it. */
export interface JobWorker {
  readonly lease: RecordLease | undefined;
  readonly deadline: Deadline;
  readonly logEntry: LogEntry;
  readonly context: Pick<InvocationContext, 'traceContext'>;
  /** Opens a source; openUrl unless a test passes another. */
  readonly open: typeof openUrl;
}

/** Nothing in a job waits for long: a run that is asked to wait ends. */
export async function loadJob(
  stored: StoredJob,
  { lease, deadline, logEntry, context, open }: JobWorker,
  { config, graphHttp, concurrencyLimiter, jobs, uploadClient, appTokens }: Dependencies,
): Promise<LoadedJob> {
  const { wantsImmutableIds, clientRequestId } = stored.record;
  const file = currentFile(stored.record);
  // No job acts for a user (createJob.ts), so it has the app's own tokens.
  const tokens = appTokens;
  const shortWaits: Deadline = { ...deadline, remainingMs: () => Math.min(deadline.remainingMs(), MAX_JOB_PAUSE_MS) };
  const item = createAttachmentsApi({
    graphOrigin: config.graphOrigin,
    graphHttp: await graphHttp(),
    target: file.target,
    call: { clientRequestId, traceParent: context.traceContext?.traceParent, wantsImmutableIds },
    context: { tokens, deadline: shortWaits, logEntry },
  });
  const progress = new JobProgress(jobs.store, item, stored, lease);
  const uploadContext = createUploadContext({
    client: uploadClient,
    hosts: config.uploadHosts,
    uploadUrl: () => progress.transfer.session?.uploadUrl ?? '',
    concurrencyLimiter,
    mailbox: item.mailbox,
    deadline,
    logEntry,
    tokens,
    kind: file.target.kind,
    retryTimeoutMs: Number.POSITIVE_INFINITY,
  });
  let askedMs: number | undefined;
  const onLongWait = (ms: number) => {
    askedMs = ms;
  };
  return {
    item,
    progress,
    uploadContext: { ...uploadContext, retryRemainingMs: shortWaits.remainingMs },
    openSource: (offset) => {
      const { isDevelopment } = config;
      return openJobSource(progress.transfer, offset, { isDevelopment, onLongWait, open }, deadline.signal);
    },
    sourceRetryAfterMs: () => askedMs,
  };
}

interface SourceOptions {
  readonly isDevelopment: boolean;
  /** Called with the wait that the source asks for, if it is longer than a run waits. */
  readonly onLongWait: (askedMs: number) => void;
  readonly open: typeof openUrl;
}

/** @throws ServiceError as openUrl does, and SourceChanged for a file of another size */
function openJobSource(
  { sourceUrl, sourceRule, etag, attachment }: JobFile,
  offset: number,
  { isDevelopment, onLongWait, open }: SourceOptions,
  signal: AbortSignal,
): Promise<UrlSource> {
  const totalBytes = attachment.sizeBytes;
  const checkSize = (sourceBytes: number) => {
    if (sourceBytes === totalBytes) return;
    throw new ServiceError('SourceChanged', 'The file at the source has another size than when the job was created.');
  };
  /** A longer wait than a run may wait fails the source, for this run. */
  const retryDelay: typeof retryDelayMs = (retryAfter, failures, now, random) => {
    const askedMs = parseRetryAfter(retryAfter, now);
    if (askedMs === undefined || askedMs <= MAX_JOB_PAUSE_MS) return retryDelayMs(retryAfter, failures, now, random);
    onLongWait(askedMs);
    return Number.POSITIVE_INFINITY;
  };
  return open(
    new URL(sourceUrl),
    sourceRule,
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

/**
 * Ends a job without its current file, unless the item has the file. Its session at Graph is ended first, so that nothing is
 * attached after the failure.
 *
 * @throws RecordConflict, ServiceError StorageUnavailable
 */
export async function failJob(
  { progress, uploadContext }: LoadedJob,
  error: UploadFailure,
  cause?: unknown,
): Promise<JobOutcome> {
  if (progress.transfer.session !== undefined) await endSession(uploadContext);
  const isUncertain = progress.mayBeAttached;
  const attached = isUncertain ? await progress.findAttachment().catch(() => 'unknown' as const) : undefined;
  if (attached !== undefined && attached !== 'unknown') {
    await progress.attached(attached.location);
    if (progress.record.state.status === 'completed') return { code: 'Completed' };
  }
  const doubt =
    attached === 'unknown' ? ' Graph could not be asked whether the file is attached: look at the item.' : '';
  await progress.fail({ ...error, message: `${error.message}${doubt}` });
  return { code: 'Failed', reason: error.code, error: cause };
}
