import type { ActsAs } from '../access/policy.ts';
import { JOB_POLL_SECONDS } from '../common/limits.ts';
import type { Dependencies, RequestContext } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import { hashUploadId } from '../logging/mask.ts';
import { proxyUrlOf } from '../paths/proxyUrl.ts';
import type { RequestHeaders } from '../server/request.ts';
import type { ResponseData } from '../server/response.ts';
import { storageNotConfigured } from '../storage/storageErrors.ts';
import { jobResponse } from './getJob.ts';
import type { JobQueue } from './jobQueue.ts';
import type { JobFile } from './jobRecord.ts';

/** RFC 7240, section 4.1: the caller need not wait. */
export function prefersJob(headers: RequestHeaders): boolean {
  return /(?:^|[,;\s])respond-async(?:$|[,;\s])/i.test(headers.get('prefer') ?? '');
}

/**
 * Checks what a job needs before its files are opened.
 *
 * @throws ServiceError JobsNeedAppToken, StorageNotConfigured, JobsNotConfigured
 */
export function requireJobs(actsAs: ActsAs, { config, jobs }: Pick<Dependencies, 'config' | 'jobs'>): JobQueue {
  if (actsAs === 'user') {
    throw new ServiceError(
      'JobsNeedAppToken',
      'This caller acts as its user, and the proxy does not store tokens of users: send the request without Prefer: respond-async.',
    );
  }
  if (config.storage.kind === 'none') throw storageNotConfigured();
  if (jobs.queue === undefined) {
    throw new ServiceError(
      'JobsNotConfigured',
      'The proxy does not run jobs: it needs a queue in its storage account, the setting JOB_KEY, and the queue trigger in host.json.',
    );
  }
  return jobs.queue;
}

/**
 * Creates a job that attaches the files. It does not start before its first message.
 *
 * @param files opened before, so that the response already reports what is wrong with them
 * @throws ServiceError StorageUnavailable
 */
export async function createJob(
  { request, info, logEntry }: RequestContext,
  files: readonly JobFile[],
  queue: JobQueue,
  { config, jobs }: Pick<Dependencies, 'config' | 'jobs'>,
): Promise<ResponseData> {
  const now = new Date().toISOString();
  const { id, record } = await jobs.store.create({
    createdAt: now,
    caller: logEntry.caller ?? '',
    clientRequestId: info.clientRequestId,
    wantsImmutableIds: info.wantsImmutableIds,
    files,
    endsAt: new Date(Date.now() + queue.timeoutMs).toISOString(),
    notBefore: now,
    movedAt: now,
    attempts: 0,
    wakeUps: 0,
    state: { status: 'running' },
  });
  logEntry.endStage('store');
  logEntry.upload = hashUploadId(id);
  const location = proxyUrlOf('job', id, request.url, config.publicBaseUrl);
  const { status, headers, body } = jobResponse(record, location, JOB_POLL_SECONDS);
  return { status, headers: { ...headers, 'preference-applied': 'respond-async' }, body };
}
