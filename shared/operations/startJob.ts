import type { Answer } from '../answer.ts';
import type { ActsAs } from '../caller/policy.ts';
import { ServiceError } from '../errors.ts';
import type { JobQueue } from '../job/jobQueue.ts';
import { JOB_POLL_SECONDS } from '../limits.ts';
import { hashUploadId } from '../log/mask.ts';
import type { RequestHeaders } from '../request/incomingRequest.ts';
import type { Target } from '../route/target.ts';
import { storageNotConfigured } from '../upload/storageFault.ts';
import { createUploadRecord } from '../upload/uploadRecord.ts';
import type { StoredUpload } from '../upload/uploadStore.ts';
import type { Exchange } from './answerOperation.ts';
import type { AskedFile } from './askedFile.ts';
import type { Collaborators } from './collaborators.ts';
import { jobAnswer } from './jobAnswer.ts';
import { uploadUrlOf } from './uploadUrlOf.ts';

/** RFC 7240, section 4.1: the caller need not wait. */
export function prefersJob(headers: RequestHeaders): boolean {
  return /(?:^|[,;\s])respond-async(?:$|[,;\s])/i.test(headers.get('prefer') ?? '');
}

/**
 * What must hold before a job is looked at any closer.
 *
 * @throws ServiceError JobsNeedAppToken, StorageNotConfigured, JobsNotConfigured
 */
export function requireJobs(actsAs: ActsAs, { config, jobs }: Pick<Collaborators, 'config' | 'jobs'>): JobQueue {
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
export async function startJob(
  { request, head, record }: Exchange,
  { kind, version, itemPath }: Target,
  { file, admission, sourceUrl, open }: AskedFile,
  { config, uploads, jobs }: Pick<Collaborators, 'config' | 'uploads'> & { readonly jobs: JobQueue },
  mayBeDoneSince: number | undefined,
): Promise<Answer> {
  const { source: sourceRule, owner } = admission;
  if (sourceUrl === undefined || sourceRule === undefined) throw new TypeError('A job has a source.');
  const { source, contentType, etag, close } = await open();
  close();
  record.sizeBytes = source.sizeBytes;
  const now = Date.now();
  const { sizeBytes } = source;
  const { id, record: upload } = await uploads.create({
    ...createUploadRecord({
      target: { kind, version, owner, itemPath },
      caller: record.caller ?? '',
      attachment: { ...(contentType !== undefined && { contentType }), ...file, sizeBytes },
      wantsImmutableIds: head.wantsImmutableIds,
      session: undefined,
      job: {
        sourceUrl: sourceUrl.href,
        sourceRule,
        ...(etag !== undefined && { etag }),
        clientRequestId: head.clientRequestId,
        endsAt: new Date(now + jobs.timeoutMs).toISOString(),
        notBefore: new Date(now).toISOString(),
        movedAt: new Date(now).toISOString(),
        attempts: 0,
        nudges: 0,
        furthestOffset: 0,
      },
    }),
    ...(mayBeDoneSince !== undefined && { createdAt: new Date(mayBeDoneSince).toISOString(), mayHold: [sizeBytes] }),
  });
  record.endStage('store');
  record.upload = hashUploadId(id);
  const location = uploadUrlOf(id, request.url, config.publicBaseUrl);
  const { status, headers, body } = jobAnswer(upload, location, JOB_POLL_SECONDS);
  return { status, headers: { ...headers, 'preference-applied': 'respond-async' }, body };
}

/** A job that has failed, or whose record is gone, does not stand for the request any more. */
export function isJobGood(stored: StoredUpload | undefined): boolean {
  return stored !== undefined && stored.record.state.status !== 'failed';
}
