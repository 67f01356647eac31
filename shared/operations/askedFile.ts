import { checkMediaType, isJson } from '../body/readBody.ts';
import type { Caller } from '../caller/caller.ts';
import type { Config } from '../config/config.ts';
import { ServiceError } from '../errors.ts';
import type { IncomingRequest } from '../request/incomingRequest.ts';
import type { Target } from '../route/target.ts';
import { openAddress } from '../source/addressSource.ts';
import type { ByteSource } from '../source/byteSource.ts';
import { type DeclaredFile, readDeclaredFile } from '../source/declaredFile.ts';
import { fileNameOf } from '../source/fileName.ts';
import { readJsonAttachment } from '../source/jsonAttachment.ts';
import type { HeldJson } from '../source/jsonMemory.ts';
import { createMemorySource } from '../source/memorySource.ts';
import { createRequestSource } from '../source/requestSource.ts';
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
  { config, policy }: Collaborators,
  held: HeldJson,
): Promise<AskedFile> {
  const { request, deadline, record } = exchange;
  const admitFile = (sizeBytes: number | undefined, sourceUrl?: URL) =>
    admit(policy, caller, target, { operation: 'attach', sizeBytes, sourceUrl }, record);
  const ceilingBytes = ceilingOf(target, config);
  if (!isJsonFile(request)) {
    const { url, headers, body } = request;
    const query = url.searchParams;
    const file = readDeclaredFile({ kind: target.kind, query, headers, lengthHeader: 'Content-Length', ceilingBytes });
    const admission = admitFile(file.sizeBytes);
    return {
      file,
      admission,
      sourceUrl: undefined,
      async open() {
        const { sizeBytes } = file;
        const source =
          sizeBytes === undefined ? await readUnsized(body, deadline.signal) : createRequestSource(body, sizeBytes);
        if (sizeBytes === undefined) admitFile(source.sizeBytes);
        return opened(source);
      },
    };
  }
  checkMediaType(request.headers);
  admitFile(undefined);
  const limits = { maxJsonAttachmentBytes: config.maxJsonAttachmentBytes, ceilingBytes };
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
  return !isNamed && fileNameOf(headers.get('content-disposition')) === undefined;
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
