import { authorizeRequest, type Grant } from '../access/authorizeRequest.ts';
import type { AuthenticatedCaller } from '../access/caller.ts';
import { foldCase } from '../access/policy.ts';
import { tokensFor } from '../access/tokensFor.ts';
import { actsForOf } from '../access/tokensForUpload.ts';
import { isObject } from '../common/isObject.ts';
import { SESSION_FROM_BYTES } from '../common/limits.ts';
import type { Dependencies, RequestContext } from '../dependencies.ts';
import { parseBody } from '../graph/graphResponse.ts';
import { relayResponse } from '../graph/relayResponse.ts';
import { readUploadSession, replaceInUploadSession } from '../graph/uploadSession.ts';
import { parseJson } from '../json/parseJson.ts';
import { type ValidAttachment, validateAttachment } from '../json/validateAttachment.ts';
import { hashUploadId } from '../logging/mask.ts';
import { proxyUrlOf } from '../paths/proxyUrl.ts';
import { graphPath, type Target } from '../paths/target.ts';
import { readBody } from '../server/readBody.ts';
import { errorCode, type ResponseData } from '../server/response.ts';
import { storageNotConfigured } from '../storage/storageErrors.ts';
import { nextExpectedRanges } from '../transfer/contentRange.ts';
import { SIZE_BELOW_MINIMUM } from '../transfer/smallAttachment.ts';
import { startTransfer } from '../transfer/transferRecord.ts';
import { parseUploadUrl } from '../transfer/uploadClient.ts';
import { refuseChunkedJson } from './openChunkedUpload.ts';

/**
 * `POST {item}/attachments/createUploadSession`: Graph's own answer for what the policy admits. Its uploadUrl is Graph's, or one
 * at the proxy where the caller is to send the bytes there.
 */
export async function createUploadSession(
  context: RequestContext,
  caller: AuthenticatedCaller,
  target: Target,
  dependencies: Dependencies,
): Promise<ResponseData> {
  const { request, info, deadline, logEntry } = context;
  const { config, policy, graphHttp } = dependencies;
  refuseChunkedJson(request);
  const body = await readBody(request, deadline.signal);
  logEntry.endStage('body');
  const attachment = validateAttachment(parseJson(body), target.kind, config.maxSizes);
  const asked = { operation: 'createUploadSession', sizeBytes: attachment.declared.sizeBytes } as const;
  const grant = authorizeRequest(policy, caller, target, asked, logEntry);
  if (grant.uploadUrl === 'proxy' && config.storage.kind === 'none') throw storageNotConfigured();
  const call = {
    operation: 'createUploadSession',
    method: 'POST',
    kind: target.kind,
    version: target.version,
    path: graphPath(target, grant.owner, 'createUploadSession'),
    body: attachment.json,
    clientRequestId: info.clientRequestId,
    wantsImmutableIds: info.wantsImmutableIds,
    traceParent: info.traceParent,
  } as const;
  const tokens = tokensFor(grant.actsAs, caller, dependencies);
  const callContext = { mailbox: foldCase(grant.owner.id), tokens, deadline, logEntry };
  const response = explainMinimum(relayResponse(await (await graphHttp()).send(call, callContext)));
  if (response.status >= 300 || grant.uploadUrl === 'graph') return response;
  return keepUpload(response, context, caller, target, grant, attachment, dependencies);
}

/** Graph refuses a file below its minimum without the number, and without the other way. All but the message stays Graph's. */
function explainMinimum(response: ResponseData): ResponseData {
  const body = parseBody(response.body);
  if (errorCode(body) !== SIZE_BELOW_MINIMUM || !isObject(body) || !isObject(body['error'])) return response;
  const { error } = body;
  const graphsOwn = typeof error['message'] === 'string' ? `${error['message']} ` : '';
  const message = `${graphsOwn}Upload sessions are for files of 3 MB (${SESSION_FROM_BYTES} bytes) or more. Attach this file in one call: POST its bytes to …/attachments?name=<file name>.`;
  return { ...response, body: JSON.stringify({ ...body, error: { ...error, message } }) };
}

/** Keeps Graph's uploadUrl in a record, and gives the caller the record's address in its place. */
async function keepUpload(
  response: ResponseData,
  { request, info, logEntry }: RequestContext,
  caller: AuthenticatedCaller,
  { kind, version, itemPath }: Target,
  { owner, actsAs }: Grant,
  { declared }: ValidAttachment,
  { config, uploads }: Dependencies,
): Promise<ResponseData> {
  const body = parseBody(response.body);
  const session = readUploadSession(body);
  parseUploadUrl(session?.uploadUrl ?? '', config.uploadHosts);
  const stored = await uploads.create({
    ...startTransfer({ kind, version, owner, itemPath }, declared, session, Date.now()),
    caller: logEntry.caller ?? '',
    wantsImmutableIds: info.wantsImmutableIds,
    state: { status: 'uploading' },
    ...actsForOf(actsAs, caller),
  });
  logEntry.endStage('store');
  logEntry.upload = hashUploadId(stored.id);
  const uploadUrl = proxyUrlOf('upload', stored.id, request.url, config.publicBaseUrl);
  const replaced = replaceInUploadSession(body, uploadUrl, nextExpectedRanges(0, declared.sizeBytes));
  return { ...response, body: JSON.stringify(replaced) };
}
