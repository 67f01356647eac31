import type { AuthenticatedCaller } from '../access/caller.ts';
import { tokensFor } from '../access/tokensFor.ts';
import type { Dependencies } from '../dependencies.ts';
import { createAttachmentsApi } from '../graph/attachmentsApi.ts';
import type { RequestContext } from '../handleRequest.ts';
import { type Attempt, withIdempotencyKey } from '../idempotency/withIdempotencyKey.ts';
import { createJob, isReusable, prefersJob, requireJobs } from '../jobs/createJob.ts';
import { namingJobs } from '../operations/namingJobs.ts';
import type { Target } from '../paths/target.ts';
import type { ResponseData } from '../server/response.ts';
import { isChunkedMessage, openChunkedUpload } from '../sessions/openChunkedUpload.ts';
import type { JsonReservation } from '../sources/jsonMemory.ts';
import type { TokenSource } from '../tokens/tokenSource.ts';
import { attachFile } from '../transfer/attachFile.ts';
import { describeAttachment, withoutBytes } from '../transfer/describeAttachment.ts';
import { uploadIdOf } from '../uploads/uploadUrlOf.ts';
import { type RequestedFile, readRequestedFile } from './requestedFile.ts';

/**
 * `POST {item}/attachments`: attaches a file of any size in one call, from the body's bytes, from Graph's own JSON, or from an
 * address. Answers 201 with the attachment as Graph gives it, without its bytes; where the file is at an address and the caller
 * prefers not to wait, 202 with the address of a job.
 */
export async function attach(
  context: RequestContext,
  caller: AuthenticatedCaller,
  target: Target,
  dependencies: Dependencies,
): Promise<ResponseData> {
  if (isChunkedMessage(context.request)) return openChunkedUpload(context, caller, target, dependencies);
  const held = dependencies.jsonMemory.open();
  try {
    return await attachOnce(context, caller, target, dependencies, held);
  } finally {
    held.release();
  }
}

async function attachOnce(
  context: RequestContext,
  caller: AuthenticatedCaller,
  target: Target,
  dependencies: Dependencies,
  held: JsonReservation,
): Promise<ResponseData> {
  const requested = await readRequestedFile(context, caller, target, dependencies, held);
  const { owner, actsAs } = requested.grant;
  const { wantsImmutableIds } = context.info;
  const request = [
    owner,
    target.version,
    target.itemPath,
    requested.file,
    requested.sourceUrl?.href,
    wantsImmutableIds,
  ];
  const tokens = tokensFor(actsAs, caller, dependencies);
  if (requested.sourceUrl === undefined || !prefersJob(context.request.headers)) {
    return withIdempotencyKey(context, caller, request, dependencies, (attempt) =>
      attachAsked(context, target, requested, { ...dependencies, tokens }, attempt).catch(namingJobs),
    );
  }
  const jobs = requireJobs(actsAs, dependencies);
  let isNew = false;
  const response = await withIdempotencyKey(
    context,
    caller,
    request,
    dependencies,
    async ({ mayBeDoneSince }) => {
      const started = await createJob(context, target, requested, { ...dependencies, jobs }, mayBeDoneSince);
      isNew = true;
      return started;
    },
    async ({ status, headers }) =>
      status !== 202 || isReusable(await dependencies.uploads.read(uploadIdOf(headers['location'] ?? ''))),
  );
  // Only now: a request that breaks off before leaves a job behind that its repetition does not know, and that never begins.
  if (isNew) await jobs.send(uploadIdOf(response.headers['location'] ?? ''), 0);
  return response;
}

async function attachAsked(
  { info, deadline, logEntry }: RequestContext,
  { kind, version, itemPath }: Target,
  { file, grant, open }: RequestedFile,
  {
    config,
    graphHttp,
    tokens,
    concurrencyLimiter: queue,
    uploadClient: uploadHost,
  }: Dependencies & { readonly tokens: TokenSource },
  { mayBeDoneSince, refusedSince, onFullySent }: Attempt,
): Promise<ResponseData> {
  const target = { kind, version, owner: grant.owner, itemPath };
  const { source, contentType, close } = await open();
  try {
    const attachment = { ...(contentType !== undefined && { contentType }), ...file, sizeBytes: source.sizeBytes };
    logEntry.sizeBytes = source.sizeBytes;
    const item = createAttachmentsApi({
      graphOrigin: config.graphOrigin,
      graphHttp: await graphHttp(),
      target,
      call: info,
      context: { tokens, deadline, logEntry },
    });
    const createdAt = new Date(mayBeDoneSince ?? Date.now()).toISOString();
    const earlier =
      mayBeDoneSince !== undefined
        ? { refusedSince: undefined }
        : refusedSince !== undefined
          ? { refusedSince }
          : undefined;
    const toAttach = { target, attachment, createdAt, source, onFullySent, earlier };
    const { id, shown } = await attachFile(item, toAttach, {
      client: uploadHost,
      hosts: config.uploadHosts,
      concurrencyLimiter: queue,
      deadline,
      logEntry,
      tokens: kind === 'todoTask' ? tokens : undefined,
      retryTimeoutMs: config.attachTimeoutMs,
    });
    const answer = shown
      ? withoutBytes(shown)
      : await describeAttachment({ attachmentId: id, target, attachment }, item);
    return { status: 201, headers: {}, body: JSON.stringify(answer) };
  } finally {
    close();
  }
}
