import type { Answer } from '../answer.ts';
import type { AuthenticatedCaller } from '../caller/caller.ts';
import type { TokenSource } from '../graph/tokenSource.ts';
import type { Target } from '../route/target.ts';
import type { HeldJson } from '../source/jsonMemory.ts';
import { attachFile } from '../transfer/attachFile.ts';
import { createGraphItem } from '../transfer/graphItem.ts';
import type { Exchange } from './answerOperation.ts';
import { type AskedFile, readAskedFile } from './askedFile.ts';
import type { Collaborators } from './collaborators.ts';
import { describeAttachment, withoutBytes } from './describeAttachment.ts';
import { namingJobs } from './namingJobs.ts';
import { type Attempt, onceByKey } from './onceByKey.ts';
import { isChunkedMessage, openChunkedMessage } from './openChunkedMessage.ts';
import { isJobGood, prefersJob, requireJobs, startJob } from './startJob.ts';
import { tokensFor } from './tokensFor.ts';
import { uploadIdOf } from './uploadUrlOf.ts';

/**
 * `POST {item}/attachments`: attaches a file of any size in one call, from the body's bytes, from Graph's own JSON, or from an
 * address. Answers 201 with the attachment as Graph gives it, without its bytes; where the file is at an address and the caller
 * prefers not to wait, 202 with the address of a job.
 */
export async function attach(
  exchange: Exchange,
  caller: AuthenticatedCaller,
  target: Target,
  collaborators: Collaborators,
): Promise<Answer> {
  if (isChunkedMessage(exchange.request)) return openChunkedMessage(exchange, caller, target, collaborators);
  const held = collaborators.jsonMemory.open();
  try {
    return await attachOnce(exchange, caller, target, collaborators, held);
  } finally {
    held.release();
  }
}

async function attachOnce(
  exchange: Exchange,
  caller: AuthenticatedCaller,
  target: Target,
  collaborators: Collaborators,
  held: HeldJson,
): Promise<Answer> {
  const asked = await readAskedFile(exchange, caller, target, collaborators, held);
  const { owner, actsAs } = asked.admission;
  const { wantsImmutableIds } = exchange.head;
  const request = [owner, target.version, target.itemPath, asked.file, asked.sourceUrl?.href, wantsImmutableIds];
  const tokens = tokensFor(actsAs, caller, collaborators);
  if (asked.sourceUrl === undefined || !prefersJob(exchange.request.headers)) {
    return onceByKey(exchange, caller, request, collaborators, (attempt) =>
      attachAsked(exchange, target, asked, { ...collaborators, tokens }, attempt).catch(namingJobs),
    );
  }
  const jobs = requireJobs(actsAs, collaborators);
  let isNew = false;
  const answer = await onceByKey(
    exchange,
    caller,
    request,
    collaborators,
    async ({ mayBeDoneSince }) => {
      const started = await startJob(exchange, target, asked, { ...collaborators, jobs }, mayBeDoneSince);
      isNew = true;
      return started;
    },
    async ({ status, headers }) =>
      status !== 202 || isJobGood(await collaborators.uploads.read(uploadIdOf(headers['location'] ?? ''))),
  );
  // Only now: a request that breaks off before leaves a job behind that its repetition does not know, and that never begins.
  if (isNew) await jobs.send(uploadIdOf(answer.headers['location'] ?? ''), 0);
  return answer;
}

async function attachAsked(
  { head, deadline, record }: Exchange,
  { kind, version, itemPath }: Target,
  { file, admission, open }: AskedFile,
  { config, forwarder, tokens, queue, uploadHost }: Collaborators & { readonly tokens: TokenSource },
  { mayBeDoneSince, refusedSince, onWhole }: Attempt,
): Promise<Answer> {
  const target = { kind, version, owner: admission.owner, itemPath };
  const { source, contentType, close } = await open();
  try {
    const attachment = { ...(contentType !== undefined && { contentType }), ...file, sizeBytes: source.sizeBytes };
    record.sizeBytes = source.sizeBytes;
    const item = createGraphItem({
      graphOrigin: config.graphOrigin,
      forwarder: await forwarder(),
      target,
      call: head,
      context: { tokens, deadline, record },
    });
    const createdAt = new Date(mayBeDoneSince ?? Date.now()).toISOString();
    const earlier =
      mayBeDoneSince !== undefined
        ? { refusedSince: undefined }
        : refusedSince !== undefined
          ? { refusedSince }
          : undefined;
    const toAttach = { target, attachment, createdAt, source, onWhole, earlier };
    const { id, shown } = await attachFile(item, toAttach, {
      host: uploadHost,
      hosts: config.uploadHosts,
      queue,
      deadline,
      record,
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
