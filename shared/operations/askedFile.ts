import { checkMediaType, isJson } from '../body/readBody.ts';
import { requireBodyFits } from '../body/requireBodyFits.ts';
import type { Caller } from '../caller/caller.ts';
import type { Config } from '../config/config.ts';
import { ServiceError } from '../errors.ts';
import type { IncomingRequest } from '../request/incomingRequest.ts';
import type { Target } from '../route/target.ts';
import { openAddress } from '../source/addressSource.ts';
import type { ByteSource } from '../source/byteSource.ts';
import { type DeclaredFile, readDeclaredFile } from '../source/declaredFile.ts';
import { hasFileName } from '../source/fileName.ts';
import { readFileQuery } from '../source/fileQuery.ts';
import { type JsonLimits, readJsonAttachment } from '../source/jsonAttachment.ts';
import type { HeldJson } from '../source/jsonMemory.ts';
import { createMemorySource } from '../source/memorySource.ts';
import { createRequestSource, type ReadableBody } from '../source/requestSource.ts';
import { isJsonByName, readSerialisedFile } from '../source/serialisedFile.ts';
import { readUnsized } from '../source/unsizedSource.ts';
import { type Admission, admit } from './admit.ts';
import type { Exchange } from './answerOperation.ts';
import type { Collaborators } from './collaborators.ts';

/** A file that the policy lets the caller attach. */
export interface AskedFile {
  readonly file: DeclaredFile;
  readonly admission: Admission;
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
export async function readAskedFile(
  exchange: Exchange,
  caller: Caller,
  target: Target,
  { config, policy }: Pick<Collaborators, 'config' | 'policy'>,
  held: HeldJson,
): Promise<AskedFile> {
  const { request, deadline, record } = exchange;
  const admitFile = (sizeBytes: number | undefined, sourceUrl?: URL) =>
    admit(policy, caller, target, { operation: 'attach', sizeBytes, sourceUrl }, record);
  const ceilingBytes = ceilingOf(target, config);
  const limits = { maxJsonAttachmentBytes: config.maxJsonAttachmentBytes, ceilingBytes };
  if (!isJsonFile(request)) return readFileInBody(exchange, target, limits, config, held, admitFile);
  checkMediaType(request.headers);
  admitFile(undefined);
  requireBodyFits('The JSON', request.body.declaredBytes, config.maxRequestBodyBytes);
  const { file, content } = await readJsonAttachment(request.body, target.kind, limits, held, deadline.signal);
  record.endStage('body');
  if (content.kind === 'bytes') {
    const admission = admitFile(content.sizeBytes);
    return { file, admission, sourceUrl: undefined, open: async () => opened(createMemorySource(content.chunks)) };
  }
  const { url: sourceUrl } = content;
  const admission = admitFile(undefined, sourceUrl);
  return {
    file,
    admission,
    sourceUrl,
    open: () => openAdmitted(sourceUrl, file, admission, config, ceilingBytes, admitFile, deadline.signal),
  };
}

/** A file whose bytes are the body, or which is all that the body's JSON holds. */
async function readFileInBody(
  { request, deadline, record }: Exchange,
  { kind }: Target,
  limits: JsonLimits,
  { maxRequestBodyBytes }: Pick<Config, 'maxRequestBodyBytes'>,
  held: HeldJson,
  admitFile: (sizeBytes: number | undefined) => Admission,
): Promise<AskedFile> {
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
        record.endStage('body');
        const { chunks, sizeBytes } = found.bytes;
        checkDeclaredSize(declared.sizeBytes, sizeBytes);
        const contentType = chosenType === undefined ? found.contentType : declaredType;
        const file = { ...declared, sizeBytes, ...(contentType !== undefined && { contentType }) };
        const admission = admitFile(sizeBytes);
        return { file, admission, sourceUrl: undefined, open: async () => opened(createMemorySource(chunks)) };
      }
      body = found.body;
    }
  }
  const file = await readDeclaredFile({ ...parts, lengthHeader: 'Content-Length' });
  const { sizeBytes } = file;
  const admission = admitFile(sizeBytes);
  requireBodyFits('The file', sizeBytes, maxRequestBodyBytes);
  return {
    file,
    admission,
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
  { source: rule }: Admission,
  { isDevelopment }: Config,
  ceilingBytes: number,
  admitFile: (sizeBytes: number, sourceUrl: URL) => Admission,
  signal: AbortSignal,
): Promise<OpenedFile> {
  if (rule === undefined) throw new TypeError('The policy has admitted no source.');
  const checkSize = (totalBytes: number) => {
    if (totalBytes > ceilingBytes) throw tooLarge(totalBytes, ceilingBytes);
    admitFile(totalBytes, url);
  };
  const source = await openAddress(url, rule, { isDevelopment, checkSize, declared }, signal);
  return { source, contentType: source.contentType, etag: source.etag, close: () => source.close() };
}

/** Graph's JSON, unless a name beside it says that the JSON itself is the file. */
export function isJsonFile({ headers, url }: IncomingRequest): boolean {
  if (!isJson(headers.get('content-type') ?? '')) return false;
  const isNamed = [...url.searchParams.keys()].some((name) => name.toLowerCase() === 'name');
  return !isNamed && !hasFileName(headers.get('content-disposition'));
}

export function ceilingOf({ kind }: Pick<Target, 'kind'>, { ceilings }: Config): number {
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
