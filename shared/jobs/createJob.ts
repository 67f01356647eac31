import type { ActsAs } from '../access/policy.ts';
import type { RequestedFile } from '../attach/requestedFile.ts';
import { JOB_POLL_SECONDS } from '../common/limits.ts';
import type { Dependencies } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import type { RequestContext } from '../handleRequest.ts';
import { hashUploadId } from '../logging/mask.ts';
import type { Target } from '../paths/target.ts';
import type { RequestHeaders } from '../server/request.ts';
import type { ResponseData } from '../server/response.ts';
import { storageNotConfigured } from '../storage/storageErrors.ts';
import { createUploadRecord } from '../uploads/uploadRecord.ts';
import type { StoredUpload } from '../uploads/uploadStore.ts';
import { uploadUrlOf } from '../uploads/uploadUrlOf.ts';
import type { JobQueue } from './jobQueue.ts';
import { jobResponse } from './jobResponse.ts';

/** RFC 7240, section 4.1: the caller need not wait. */
export function prefersJob(headers: RequestHeaders): boolean {
  return /(?:^|[,;\s])respond-async(?:$|[,;\s])/i.test(headers.get('prefer') ?? '');
}

/**
 * What must hold before a job is looked at any closer.
 *
 * @throws ServiceError JobsNeedAppToken, StorageNotConfigured, JobsNotConfigured
 */
export function requireJobs(actsAs: ActsAs, { config, jobs }: Pick<Dependencies, 'config' | 'jobs'>): JobQueue {
  if (actsAs === 'user') {
    throw new ServiceError(
      'JobsNeedAppToken',
      'This caller acts as its user, and no token of a user is kept for later: send the request without Prefer: respond-async.',
    );
  }
  if (config.storage.kind === 'none') throw storageNotConfigured();
  if (jobs === undefined) {
    throw new ServiceError(
      'JobsNotConfigured',
      'The proxy does not run jobs: it needs a queue beside its storage account, the setting JOB_KEY, and the queue trigger in host.json.',
    );
  }
  return jobs;
}

/**
 * A job that attaches the file of an address. The address is opened first, so that what is wrong with it, and the file's size,
 * are said at once. The job does not begin before its first message.
 *
 * @param mayBeDoneSince since when an earlier turn at the same request may have attached the file; epoch milliseconds
 *
 * @throws ServiceError of the source, CallerNotAllowed, StorageUnavailable
 */
export async function createJob(
  { request, info, logEntry }: RequestContext,
  { kind, version, itemPath }: Target,
  { file, grant, sourceUrl, open }: RequestedFile,
  { config, uploads, jobs }: Pick<Dependencies, 'config' | 'uploads'> & { readonly jobs: JobQueue },
  mayBeDoneSince: number | undefined,
): Promise<ResponseData> {
  const { source: sourceRule, owner } = grant;
  if (sourceUrl === undefined || sourceRule === undefined) throw new TypeError('A job has a source.');
  const { source, contentType, etag, close } = await open();
  close();
  logEntry.sizeBytes = source.sizeBytes;
  const now = Date.now();
  const { sizeBytes } = source;
  const { id, record: upload } = await uploads.create({
    ...createUploadRecord({
      target: { kind, version, owner, itemPath },
      caller: logEntry.caller ?? '',
      attachment: { ...(contentType !== undefined && { contentType }), ...file, sizeBytes },
      wantsImmutableIds: info.wantsImmutableIds,
      session: undefined,
      job: {
        sourceUrl: sourceUrl.href,
        sourceRule,
        ...(etag !== undefined && { etag }),
        clientRequestId: info.clientRequestId,
        endsAt: new Date(now + jobs.timeoutMs).toISOString(),
        notBefore: new Date(now).toISOString(),
        movedAt: new Date(now).toISOString(),
        attempts: 0,
        wakeUps: 0,
        furthestOffset: 0,
      },
    }),
    ...(mayBeDoneSince !== undefined && {
      createdAt: new Date(mayBeDoneSince).toISOString(),
      uncertainOffsets: [sizeBytes],
    }),
  });
  logEntry.endStage('store');
  logEntry.upload = hashUploadId(id);
  const location = uploadUrlOf(id, request.url, config.publicBaseUrl);
  const { status, headers, body } = jobResponse(upload, location, JOB_POLL_SECONDS);
  return { status, headers: { ...headers, 'preference-applied': 'respond-async' }, body };
}

/** A job that has failed, or whose record is gone, does not stand for the request any more. */
export function isReusable(stored: StoredUpload | undefined): boolean {
  return stored !== undefined && stored.record.state.status !== 'failed';
}
