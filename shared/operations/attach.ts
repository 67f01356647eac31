import type { Answer } from '../answer.ts';
import type { AuthenticatedCaller } from '../caller/caller.ts';
import type { TokenSource } from '../graph/tokenSource.ts';
import type { Target } from '../route/target.ts';
import type { AttachedFile } from '../transfer/addWhole.ts';
import { attachFile } from '../transfer/attachFile.ts';
import { findAttachment } from '../transfer/findAttachment.ts';
import { createGraphItem } from '../transfer/graphItem.ts';
import type { Exchange } from './answerOperation.ts';
import { type AskedFile, readAskedFile } from './askedFile.ts';
import type { Collaborators } from './collaborators.ts';
import { describeAttachment, withoutBytes } from './describeAttachment.ts';
import { type Attempt, onceByKey } from './onceByKey.ts';
import { isChunkedMessage, openChunkedMessage } from './openChunkedMessage.ts';
import { tokensFor } from './tokensFor.ts';

/**
 * `POST {item}/attachments`: attaches a file of any size in one call, from the body's bytes, from Graph's own JSON, or from an
 * address. Answers 201 with the attachment as Graph gives it, without its bytes.
 */
export async function attach(
  exchange: Exchange,
  caller: AuthenticatedCaller,
  target: Target,
  collaborators: Collaborators,
): Promise<Answer> {
  if (isChunkedMessage(exchange.request)) return openChunkedMessage(exchange, caller, target, collaborators);
  const asked = await readAskedFile(exchange, caller, target, collaborators);
  const { owner, actsAs } = asked.admission;
  const { wantsImmutableIds } = exchange.head;
  const request = [owner, target.version, target.itemPath, asked.file, asked.sourceUrl?.href, wantsImmutableIds];
  const tokens = tokensFor(actsAs, caller, collaborators);
  return onceByKey(exchange, caller, request, collaborators, (attempt) =>
    attachAsked(exchange, target, asked, { ...collaborators, tokens }, attempt),
  );
}

async function attachAsked(
  { head, deadline, record }: Exchange,
  { kind, version, itemPath }: Target,
  { file, admission, open }: AskedFile,
  { config, forwarder, tokens, queue, uploadHost }: Collaborators & { readonly tokens: TokenSource },
  { mayBeDoneSince, onWhole }: Attempt,
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
    const toAttach = { target, attachment, createdAt, source, onWhole };
    const earlier = mayBeDoneSince === undefined ? undefined : await findAttachment(item, toAttach);
    const attached: AttachedFile = earlier
      ? { id: earlier.id }
      : await attachFile(item, toAttach, {
          host: uploadHost,
          hosts: config.uploadHosts,
          queue,
          deadline,
          record,
          tokens: kind === 'todoTask' ? tokens : undefined,
          retryTimeoutMs: config.attachTimeoutMs,
        });
    const { id, shown } = attached;
    const answer = shown
      ? withoutBytes(shown)
      : await describeAttachment({ attachmentId: id, target, attachment }, item);
    return { status: 201, headers: {}, body: JSON.stringify(answer) };
  } finally {
    close();
  }
}
