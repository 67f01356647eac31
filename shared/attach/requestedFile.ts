import { authorizeRequest, type Grant } from '../access/authorizeRequest.ts';
import type { Caller } from '../access/caller.ts';
import { maxFileBytes } from '../config/config.ts';
import type { Dependencies, RequestContext } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import type { Target } from '../paths/target.ts';
import { checkMediaType, isJson } from '../server/readBody.ts';
import { requireBodyFits } from '../server/requireBodyFits.ts';
import type { ReadableBody } from '../sources/bodySource.ts';
import { type DeclaredFile, isJsonFile, readDeclaredFile } from '../sources/declaredFile.ts';
import { readFileQuery } from '../sources/fileQuery.ts';
import { readJsonAttachment } from '../sources/jsonAttachment.ts';
import type { JsonReservation } from '../sources/jsonMemory.ts';
import { isJsonByName, readSerialisedFile } from '../sources/serialisedFile.ts';
import type { SourceRule } from '../sources/sourceRules.ts';

/** A file that the policy lets the caller attach. */
export interface RequestedFile {
  readonly file: DeclaredFile;
  readonly grant: Grant;
  readonly content: FileContent;
}

/** Where the bytes of a file are. */
export type FileContent =
  | { readonly kind: 'memory'; readonly chunks: readonly Buffer[] }
  | { readonly kind: 'body'; readonly body: ReadableBody }
  | { readonly kind: 'url'; readonly url: URL; readonly rule: SourceRule };

/** Asks the policy about a file: once before a body is read, and again as soon as its size or its source is known. */
export type AuthorizeFile = (sizeBytes: number | undefined, sourceUrl?: URL) => Grant;

/** @throws ServiceError of authorizeRequest, from the function that it returns */
export function authorizeFile(
  { logEntry }: RequestContext,
  caller: Caller,
  target: Target,
  { policy }: Pick<Dependencies, 'policy'>,
): AuthorizeFile {
  return (sizeBytes, sourceUrl) =>
    authorizeRequest(policy, caller, target, { operation: 'attach', sizeBytes, sourceUrl }, logEntry);
}

/**
 * Reads what a request asks to attach. Of the body it reads JSON only.
 *
 * @param reservation counts the file of a JSON body, which stays in memory until the request ends
 * @throws ServiceError InvalidAttachment, InvalidJson, RequestBodyTooLarge, CallerNotAllowed and others of the stages
 */
export async function readRequestedFile(
  { request, deadline, logEntry }: RequestContext,
  { kind }: Target,
  authorize: AuthorizeFile,
  { config }: Pick<Dependencies, 'config'>,
  reservation: JsonReservation,
): Promise<RequestedFile> {
  const { url, headers } = request;
  const { maxJsonAttachmentBytes, maxRequestBodyBytes } = config;
  const maxBytes = maxFileBytes(kind, config);
  const limits = { maxJsonAttachmentBytes, maxBytes };
  const parts = { kind, query: url.search, headers, maxBytes };
  if (isJsonFile(request)) {
    checkMediaType(headers);
    authorize(undefined);
    requireBodyFits('The JSON', request.body.declaredBytes, maxRequestBodyBytes);
    const { file, content } = await readJsonAttachment(request.body, kind, limits, reservation, deadline.signal);
    logEntry.endStage('body');
    if (content.kind === 'bytes') {
      return { file, grant: authorize(content.sizeBytes), content: { kind: 'memory', chunks: content.chunks } };
    }
    const grant = authorize(undefined, content.url);
    if (grant.source === undefined) throw new TypeError('The policy has allowed no source.');
    return { file, grant, content: { kind: 'url', url: content.url, rule: grant.source } };
  }
  let body: ReadableBody = request.body;
  if (isJson(headers.get('content-type') ?? '')) {
    // The size of the body is not yet known to be the file's.
    const { contentType: declaredType, ...declared } = await readDeclaredFile({ ...parts, lengthHeader: undefined });
    const { contentType: chosenType } = readFileQuery(url.search);
    if (!isJsonByName(declared.name, chosenType)) {
      authorize(undefined);
      requireBodyFits('The JSON', request.body.declaredBytes, maxRequestBodyBytes);
      const found = await readSerialisedFile(body, limits, reservation, deadline.signal);
      if (found.kind === 'decoded') {
        logEntry.endStage('body');
        const { chunks, sizeBytes } = found.bytes;
        checkDeclaredSize(declared.sizeBytes, sizeBytes);
        const contentType = chosenType === undefined ? found.contentType : declaredType;
        const file = { ...declared, sizeBytes, ...(contentType !== undefined && { contentType }) };
        return { file, grant: authorize(sizeBytes), content: { kind: 'memory', chunks } };
      }
      body = found.body;
    }
  }
  const file = await readDeclaredFile({ ...parts, lengthHeader: 'Content-Length' });
  const grant = authorize(file.sizeBytes);
  requireBodyFits('The file', file.sizeBytes, maxRequestBodyBytes);
  return { file, grant, content: { kind: 'body', body } };
}

function checkDeclaredSize(declared: number | undefined, decoded: number): void {
  if (declared === undefined || declared === decoded) return;
  const message = `'size' is ${declared}, and $content has ${decoded} bytes. Nothing is attached.`;
  throw new ServiceError('SizeMismatch', message, { target: '?size' });
}
