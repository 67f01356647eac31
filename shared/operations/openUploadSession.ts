import type { Answer } from '../answer.ts';
import { parseJson } from '../body/parseJson.ts';
import { readBody } from '../body/readBody.ts';
import { validateAttachment } from '../body/validateAttachment.ts';
import type { Caller } from '../caller/caller.ts';
import { foldCase } from '../caller/policy.ts';
import { relay } from '../graph/relay.ts';
import { type Target, upstreamPath } from '../route/target.ts';
import { admit } from './admit.ts';
import type { Exchange } from './answerOperation.ts';
import type { Collaborators } from './collaborators.ts';

/** `POST {item}/attachments/createUploadSession`: Graph's own answer for what the policy admits. */
export async function openUploadSession(
  { request, head, deadline, record }: Exchange,
  caller: Caller,
  target: Target,
  { config, policy, forwarder }: Collaborators,
): Promise<Answer> {
  const body = await readBody(request, deadline.signal);
  record.endStage('body');
  const attachment = validateAttachment(parseJson(body), target.kind, config.ceilings);
  const owner = admit(policy, caller, target, attachment.sizeBytes, record);
  const call = {
    operation: 'createUploadSession',
    method: 'POST',
    kind: target.kind,
    version: target.version,
    path: upstreamPath(target, owner, 'createUploadSession'),
    body: attachment.json,
    clientRequestId: head.clientRequestId,
    wantsImmutableIds: head.wantsImmutableIds,
    traceParent: head.traceParent,
  } as const;
  const upstream = await (await forwarder()).send(call, foldCase(owner.id), deadline, record);
  return relay(upstream);
}
