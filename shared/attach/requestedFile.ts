import { authorizeRequest, type Grant } from '../access/authorizeRequest.ts';
import type { Caller } from '../access/caller.ts';
import type { Config } from '../config/config.ts';
import type { Dependencies } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import type { RequestContext } from '../handleRequest.ts';
import type { Target } from '../paths/target.ts';
import { checkMediaType, isJson } from '../server/readBody.ts';
import type { IncomingRequest } from '../server/request.ts';
import { requireBodyFits } from '../server/requireBodyFits.ts';
import { createRequestSource, type ReadableBody } from '../sources/bodySource.ts';
import type { ByteSource } from '../sources/byteSource.ts';
import { type DeclaredFile, readDeclaredFile } from '../sources/declaredFile.ts';
import { hasFileName } from '../sources/fileName.ts';
import { readFileQuery } from '../sources/fileQuery.ts';
import { type JsonLimits, readJsonAttachment } from '../sources/jsonAttachment.ts';
import type { JsonReservation } from '../sources/jsonMemory.ts';
import { createMemorySource } from '../sources/memorySource.ts';
import { isJsonByName, readSerialisedFile } from '../sources/serialisedFile.ts';
import { readUnsized } from '../sources/unsizedSource.ts';
import { openUrl } from '../sources/urlSource.ts';

/** A file that the policy lets the caller attach. */
export interface RequestedFile {
  readonly file: DeclaredFile;
  readonly grant: Grant;
  /** The address of its bytes, where they are not in the request. */
  readonly sourceUrl: URL | undefined;
  /** @throws ServiceError of the source; CallerNotAllowed where only the source says how large the file is */
  open(): Promise<OpenedFile>;
}

export interface OpenedFile {
  readonly source: ByteSource;
  /** What the source says the file is. */
  readonly contentType: string | undefined;
  /** The source's strong entity tag. */
  readonly etag: string | undefined;
  close(): void;
}

/**
 * Reads what a request asks to attach, and asks the policy: for the item before a body is read, and for the size as soon as it
 * is known.
 *
 * @param held counts the file of a JSON body, which is held until the request ends
 * @throws ServiceError InvalidAttachment, InvalidJson, RequestBodyTooLarge, CallerNotAllowed and others of the stages
 */
export async function readRequestedFile(
  context: RequestContext,
  caller: Caller,
  target: Target,
  { config, policy }: Pick<Dependencies, 'config' | 'policy'>,
  held: JsonReservation,
): Promise<RequestedFile> {
  const { request, deadline, logEntry } = context;
  const admitFile = (sizeBytes: number | undefined, sourceUrl?: URL) =>
    authorizeRequest(policy, caller, target, { operation: 'attach', sizeBytes, sourceUrl }, logEntry);
  const ceilingBytes = maxBytesOf(target, config);
  const limits = { maxJsonAttachmentBytes: config.maxJsonAttachmentBytes, ceilingBytes };
  if (!isJsonFile(request)) return readFileInBody(context, target, limits, config, held, admitFile);
  checkMediaType(request.headers);
  admitFile(undefined);
  requireBodyFits('The JSON', request.body.declaredBytes, config.maxRequestBodyBytes);
  const { file, content } = await readJsonAttachment(request.body, target.kind, limits, held, deadline.signal);
  logEntry.endStage('body');
  if (content.kind === 'bytes') {
    const grant = admitFile(content.sizeBytes);
    return { file, grant, sourceUrl: undefined, open: async () => opened(createMemorySource(content.chunks)) };
  }
  const { url: sourceUrl } = content;
  const grant = admitFile(undefined, sourceUrl);
  return {
    file,
    grant,
    sourceUrl,
    open: () => openAdmitted(sourceUrl, file, grant, config, ceilingBytes, admitFile, deadline.signal),
  };
}

/** A file whose bytes are the body, or which is all that the body's JSON holds. */
async function readFileInBody(
  { request, deadline, logEntry }: RequestContext,
  { kind }: Target,
  limits: JsonLimits,
  { maxRequestBodyBytes }: Pick<Config, 'maxRequestBodyBytes'>,
  held: JsonReservation,
  admitFile: (sizeBytes: number | undefined) => Grant,
): Promise<RequestedFile> {
  const { url, headers } = request;
  const { ceilingBytes } = limits;
  const parts = { kind, query: url.search, headers, ceilingBytes };
  let body: ReadableBody = request.body;
  if (isJson(headers.get('content-type') ?? '')) {
    // The length of the body is not yet known to be the file's.
    const { contentType: declaredType, ...declared } = await readDeclaredFile({ ...parts, lengthHeader: undefined });
    const { contentType: chosenType } = readFileQuery(url.search);
    if (!isJsonByName(declared.name, chosenType)) {
      admitFile(undefined);
      requireBodyFits('The JSON', request.body.declaredBytes, maxRequestBodyBytes);
      const found = await readSerialisedFile(body, limits, held, deadline.signal);
      if (found.kind === 'decoded') {
        logEntry.endStage('body');
        const { chunks, sizeBytes } = found.bytes;
        checkDeclaredSize(declared.sizeBytes, sizeBytes);
        const contentType = chosenType === undefined ? found.contentType : declaredType;
        const file = { ...declared, sizeBytes, ...(contentType !== undefined && { contentType }) };
        const grant = admitFile(sizeBytes);
        return { file, grant, sourceUrl: undefined, open: async () => opened(createMemorySource(chunks)) };
      }
      body = found.body;
    }
  }
  const file = await readDeclaredFile({ ...parts, lengthHeader: 'Content-Length' });
  const { sizeBytes } = file;
  const grant = admitFile(sizeBytes);
  requireBodyFits('The file', sizeBytes, maxRequestBodyBytes);
  return {
    file,
    grant,
    sourceUrl: undefined,
    async open() {
      if (sizeBytes !== undefined) return opened(createRequestSource(body, sizeBytes));
      const source = await readUnsized(body, deadline.signal);
      admitFile(source.sizeBytes);
      return opened(source);
    },
  };
}

function checkDeclaredSize(declared: number | undefined, decoded: number): void {
  if (declared === undefined || declared === decoded) return;
  const message = `'size' is ${declared}, and $content has ${decoded} bytes. Nothing is attached.`;
  throw new ServiceError('SizeMismatch', message, { target: '?size' });
}

async function openAdmitted(
  url: URL,
  declared: DeclaredFile,
  { source: rule }: Grant,
  { isDevelopment }: Config,
  ceilingBytes: number,
  admitFile: (sizeBytes: number, sourceUrl: URL) => Grant,
  signal: AbortSignal,
): Promise<OpenedFile> {
  if (rule === undefined) throw new TypeError('The policy has admitted no source.');
  const checkSize = (totalBytes: number) => {
    if (totalBytes > ceilingBytes) throw tooLarge(totalBytes, ceilingBytes);
    admitFile(totalBytes, url);
  };
  const source = await openUrl(url, rule, { isDevelopment, checkSize, declared }, signal);
  return { source, contentType: source.contentType, etag: source.etag, close: () => source.close() };
}

/** Graph's JSON, unless a name beside it says that the JSON itself is the file. */
export function isJsonFile({ headers, url }: IncomingRequest): boolean {
  if (!isJson(headers.get('content-type') ?? '')) return false;
  const isNamed = [...url.searchParams.keys()].some((name) => name.toLowerCase() === 'name');
  return !isNamed && !hasFileName(headers.get('content-disposition'));
}

export function maxBytesOf({ kind }: Pick<Target, 'kind'>, { maxSizes: ceilings }: Config): number {
  return kind === 'todoTask' ? ceilings.toDoBytes : ceilings.outlookBytes;
}

function opened(source: ByteSource): OpenedFile {
  return { source, contentType: undefined, etag: undefined, close: () => {} };
}

function tooLarge(bytes: number, ceilingBytes: number): ServiceError {
  const message = `At most ${ceilingBytes} bytes can be attached; the file at the sourceUrl has ${bytes}.`;
  return new ServiceError('InvalidAttachment', message, {
    target: '/sourceUrl',
    details: [{ code: 'SizeTooLarge', message, target: '/sourceUrl' }],
  });
}
