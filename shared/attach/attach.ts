import type { AuthenticatedCaller } from '../access/caller.ts';
import { tokensFor } from '../access/tokensFor.ts';
import type { Dependencies, RequestContext } from '../dependencies.ts';
import { createAttachmentsApi } from '../graph/attachmentsApi.ts';
import { type Attempt, withIdempotencyKey } from '../idempotency/withIdempotencyKey.ts';
import { createJob, prefersJob, requireJobs } from '../jobs/createJob.ts';
import type { JobFile } from '../jobs/jobRecord.ts';
import { idInProxyUrl } from '../paths/proxyUrl.ts';
import type { ItemTarget, Target } from '../paths/target.ts';
import type { ResponseData } from '../server/response.ts';
import { isChunkedMessage, openChunkedUpload } from '../sessions/openChunkedUpload.ts';
import type { TokenSource } from '../tokens/tokenSource.ts';
import { attachFile } from '../transfer/attachFile.ts';
import { describeAttachment, withoutBytes } from '../transfer/describeAttachment.ts';
import { startTransfer } from '../transfer/transferRecord.ts';
import { type OpenedFile, openSource } from './openSource.ts';
import { authorizeFile, type RequestedFile, readRequestedFile } from './requestedFile.ts';

/**
 * `POST {item}/attachments`: attaches a file of any size in one call, from the body's bytes, from Graph's own JSON, or from a
 * URL. Returns 201 with the attachment as Graph gives it, without its bytes. If the file is at a URL and the caller prefers not to
 * wait, it returns 202 with the URL of a job.
 */
export async function attach(
  context: RequestContext,
  caller: AuthenticatedCaller,
  target: Target,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const { request, info, deadline } = context;
  if (isChunkedMessage(request)) return openChunkedUpload(context, caller, target, dependencies);
  const authorize = authorizeFile(context, caller, target, dependencies);
  const reservation = dependencies.jsonMemory.open();
  try {
    const requested = await readRequestedFile(context, target, authorize, dependencies, reservation);
    const { content, file, grant } = requested;
    const item = { kind: target.kind, version: target.version, owner: grant.owner, itemPath: target.itemPath };
    const url = content.kind === 'url' ? content.url.href : undefined;
    const same = [grant.owner, target.version, target.itemPath, file, url, info.wantsImmutableIds];
    const open = () => openSource(requested, target.kind, authorize, dependencies.config, deadline.signal);
    if (url !== undefined && prefersJob(request.headers)) {
      return await startJob(context, caller, item, requested, same, open, dependencies);
    }
    const tokens = tokensFor(grant.actsAs, caller, dependencies);
    return await withIdempotencyKey(context, caller, same, dependencies, async (attempt) => {
      const opened = await open();
      try {
        return await attachOpened(context, item, opened, tokens, attempt, dependencies);
      } finally {
        opened.close();
      }
    });
  } finally {
    reservation.release();
  }
}

async function attachOpened(
  { info, deadline, logEntry }: RequestContext,
  target: ItemTarget,
  { source, attachment }: OpenedFile,
  tokens: TokenSource,
  { mayBeDoneSince, refusedSince, onFullySent }: Attempt,
  { config, graphHttp, concurrencyLimiter, uploadClient }: Dependencies,
): Promise<ResponseData> {
  logEntry.sizeBytes = attachment.sizeBytes;
  const item = createAttachmentsApi({
    graphOrigin: config.graphOrigin,
    graphHttp: await graphHttp(),
    target,
    call: info,
    context: { tokens, deadline, logEntry },
  });
  const wasTried = mayBeDoneSince !== undefined || refusedSince !== undefined;
  const { id, shown } = await attachFile(
    item,
    {
      target,
      attachment,
      createdAt: new Date(mayBeDoneSince ?? Date.now()).toISOString(),
      source,
      onFullySent,
      earlier: wasTried ? { refusedSince: mayBeDoneSince === undefined ? refusedSince : undefined } : undefined,
    },
    {
      client: uploadClient,
      hosts: config.uploadHosts,
      concurrencyLimiter,
      deadline,
      logEntry,
      tokens,
      kind: target.kind,
      retryTimeoutMs: config.attachTimeoutMs,
    },
  );
  const described = shown
    ? withoutBytes(shown)
    : await describeAttachment({ attachmentId: id, target, attachment }, item);
  return { status: 201, headers: {}, body: JSON.stringify(described) };
}

/** The source is opened first, so that the response already reports what is wrong with it. */
async function startJob(
  context: RequestContext,
  caller: AuthenticatedCaller,
  target: ItemTarget,
  { content, grant }: RequestedFile,
  same: readonly unknown[],
  open: () => Promise<OpenedFile>,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const queue = requireJobs(grant.actsAs, dependencies);
  if (content.kind !== 'url') throw new TypeError('A job reads its file from a URL.');
  let isNew = false;
  const response = await withIdempotencyKey(
    context,
    caller,
    same,
    dependencies,
    async ({ mayBeDoneSince }) => {
      const { attachment, etag, close } = await open();
      close();
      context.logEntry.sizeBytes = attachment.sizeBytes;
      const file: JobFile = {
        ...startTransfer(target, attachment, undefined, mayBeDoneSince ?? Date.now()),
        // An earlier request may have attached the file.
        uncertainOffsets: mayBeDoneSince === undefined ? [] : [attachment.sizeBytes],
        sourceUrl: content.url.href,
        sourceRule: content.rule,
        ...(etag !== undefined && { etag }),
        furthestOffset: 0,
      };
      const created = await createJob(context, [file], queue, dependencies);
      isNew = true;
      return created;
    },
    async ({ status, headers }) => status !== 202 || isReusable(headers['location'] ?? '', dependencies),
  );
  // Not before: a request that breaks off earlier leaves a job that its repetition does not know, and that never starts.
  if (isNew) await queue.send(idInProxyUrl(response.headers['location'] ?? ''), 0);
  return response;
}

/** A job that has failed, or whose record is gone, does not count as the outcome of the request. */
async function isReusable(location: string, { jobs }: Dependencies): Promise<boolean> {
  const stored = await jobs.store.read(idInProxyUrl(location));
  return stored !== undefined && stored.record.state.status !== 'failed';
}
