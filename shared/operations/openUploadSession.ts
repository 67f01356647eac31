import { type Answer, errorCode } from '../answer.ts';
import { parseJson } from '../body/parseJson.ts';
import { readBody } from '../body/readBody.ts';
import { type ValidAttachment, validateAttachment } from '../body/validateAttachment.ts';
import type { AuthenticatedCaller } from '../caller/caller.ts';
import { foldCase } from '../caller/policy.ts';
import { parseBody, relay } from '../graph/relay.ts';
import { readUploadSession, replaceInUploadSession } from '../graph/uploadSession.ts';
import { isObject } from '../isObject.ts';
import { SESSION_FROM_BYTES } from '../limits.ts';
import { hashUploadId } from '../log/mask.ts';
import { type Target, upstreamPath } from '../route/target.ts';
import { SIZE_BELOW_MINIMUM } from '../transfer/addWhole.ts';
import { readUploadAddress } from '../transfer/uploadHost.ts';
import { nextExpectedRanges } from '../upload/byteRange.ts';
import { storageNotConfigured } from '../upload/storageFault.ts';
import { createUploadRecord } from '../upload/uploadRecord.ts';
import { type Admission, admit } from './admit.ts';
import type { Exchange } from './answerOperation.ts';
import type { Collaborators } from './collaborators.ts';
import { refuseChunkedJson } from './openChunkedMessage.ts';
import { tokensFor } from './tokensFor.ts';
import { actsForOf } from './tokensForUpload.ts';
import { uploadUrlOf } from './uploadUrlOf.ts';

/**
 * `POST {item}/attachments/createUploadSession`: Graph's own answer for what the policy admits. Its uploadUrl is Graph's, or one
 * at the proxy where the caller is to send the bytes there.
 */
export async function openUploadSession(
  exchange: Exchange,
  caller: AuthenticatedCaller,
  target: Target,
  collaborators: Collaborators,
): Promise<Answer> {
  const { request, head, deadline, record } = exchange;
  const { config, policy, forwarder } = collaborators;
  refuseChunkedJson(request);
  const body = await readBody(request, deadline.signal);
  record.endStage('body');
  const attachment = validateAttachment(parseJson(body), target.kind, config.ceilings);
  const asked = { operation: 'createUploadSession', sizeBytes: attachment.declared.sizeBytes } as const;
  const admission = admit(policy, caller, target, asked, record);
  if (admission.uploadUrl === 'proxy' && config.storage.kind === 'none') throw storageNotConfigured();
  const call = {
    operation: 'createUploadSession',
    method: 'POST',
    kind: target.kind,
    version: target.version,
    path: upstreamPath(target, admission.owner, 'createUploadSession'),
    body: attachment.json,
    clientRequestId: head.clientRequestId,
    wantsImmutableIds: head.wantsImmutableIds,
    traceParent: head.traceParent,
  } as const;
  const tokens = tokensFor(admission.actsAs, caller, collaborators);
  const context = { mailbox: foldCase(admission.owner.id), tokens, deadline, record };
  const answer = explainMinimum(relay(await (await forwarder()).send(call, context)));
  if (answer.status >= 300 || admission.uploadUrl === 'graph') return answer;
  return keepUpload(answer, exchange, caller, target, admission, attachment, collaborators);
}

/** Graph refuses a file below its minimum without the number, and without the other way. All but the message stays Graph's. */
function explainMinimum(answer: Answer): Answer {
  const body = parseBody(answer.body);
  if (errorCode(body) !== SIZE_BELOW_MINIMUM || !isObject(body) || !isObject(body['error'])) return answer;
  const { error } = body;
  const graphsOwn = typeof error['message'] === 'string' ? `${error['message']} ` : '';
  const message = `${graphsOwn}Upload sessions are for files of 3 MB (${SESSION_FROM_BYTES} bytes) or more. Attach this file in one call: POST its bytes to …/attachments?name=<file name>.`;
  return { ...answer, body: JSON.stringify({ ...body, error: { ...error, message } }) };
}

/** Keeps Graph's uploadUrl in a record, and gives the caller the record's address in its place. */
async function keepUpload(
  answer: Answer,
  { request, head, record }: Exchange,
  caller: AuthenticatedCaller,
  { kind, version, itemPath }: Target,
  { owner, actsAs }: Admission,
  { declared }: ValidAttachment,
  { config, uploads }: Collaborators,
): Promise<Answer> {
  const body = parseBody(answer.body);
  const session = readUploadSession(body);
  readUploadAddress(session?.uploadUrl ?? '', config.uploadHosts);
  const stored = await uploads.create(
    createUploadRecord({
      target: { kind, version, owner, itemPath },
      caller: record.caller ?? '',
      attachment: declared,
      wantsImmutableIds: head.wantsImmutableIds,
      session,
      ...actsForOf(actsAs, caller),
    }),
  );
  record.endStage('store');
  record.upload = hashUploadId(stored.id);
  const uploadUrl = uploadUrlOf(stored.id, request.url, config.publicBaseUrl);
  const replaced = replaceInUploadSession(body, uploadUrl, nextExpectedRanges(0, declared.sizeBytes));
  return { ...answer, body: JSON.stringify(replaced) };
}
