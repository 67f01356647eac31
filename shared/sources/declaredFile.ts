import { type ErrorDetail, ServiceError } from '../errors.ts';
import { invalidAttachment } from '../json/validateShape.ts';
import type { ItemKind } from '../paths/entityModel.ts';
import { hasContentCoding } from '../server/contentCoding.ts';
import { isJson } from '../server/readBody.ts';
import type { IncomingRequest } from '../server/request.ts';
import { fileNameOf, hasFileName } from './fileName.ts';
import { type FileQuery, readFileQuery } from './fileQuery.ts';

/** What a request says of the file that it attaches. Members that it does not say are absent. */
export interface DeclaredFile {
  readonly name: string;
  /** In bytes; absent where only the end of the body will tell. */
  readonly sizeBytes?: number;
  readonly contentType?: string;
  readonly isInline?: boolean;
  readonly contentId?: string;
}

/** Reads one header by its name in lower case. */
export interface HeaderReader {
  get(name: string): string | null;
}

/** The parts of a request that declare a file whose bytes are the body. */
export interface RequestParts {
  readonly kind: ItemKind;
  /** As it was sent. */
  readonly query: string;
  readonly headers: HeaderReader;
  /**
   * The header that has the file's length; of the opening of a workflow's chunked transfer, `x-ms-content-length`. Undefined
   * where the file is a part of the body.
   */
  readonly lengthHeader: 'Content-Length' | 'x-ms-content-length' | undefined;
  /** The largest file that is admitted, in bytes. */
  readonly maxBytes: number;
}

/**
 * Reads what a request with the file's bytes as its body declares: `?name=` (or the name in Content-Disposition), `?size=` (or
 * the length header, or both alike), `?isInline=`, `?contentId=`, and `?contentType=` (or else Content-Type, which clients and
 * gateways fill in by themselves).
 *
 * @throws ServiceError InvalidAttachment with one detail per fault, RequestBodyTooLarge if the size is the only one,
 * UnsupportedMediaType
 */
export async function readDeclaredFile(parts: RequestParts): Promise<DeclaredFile> {
  checkCoding(parts);
  const details: ErrorDetail[] = [];
  const query = readFileQuery(parts.query, details);
  const isInline = readFlag(query.isInline, details);
  const { contentId } = query;
  const name = await readName(query.name, parts, details);
  checkText(contentId, '?contentId', details);
  checkText(query.contentType, '?contentType', details);
  const contentType = query.contentType ?? typeOf(parts.headers);
  const sizeBytes = readSize(query.size, parts, details);
  if (parts.kind === 'todoTask') refuseInline(query, details);
  const [first] = details;
  if (first?.code === 'SizeTooLarge' && details.length === 1) {
    throw new ServiceError('RequestBodyTooLarge', first.message, { target: first.target, details });
  }
  if (first !== undefined) throw invalidAttachment('The request does not declare a file to attach', details);
  return {
    name: name ?? '',
    ...(sizeBytes !== undefined && { sizeBytes }),
    ...(contentType !== undefined && { contentType }),
    ...(isInline !== undefined && { isInline }),
    ...(contentId !== undefined && { contentId }),
  };
}

/** The bytes are attached as they are: a coding or the parts of a form would be attached with them. */
function checkCoding({ headers }: RequestParts): void {
  if (hasContentCoding(headers)) {
    throw new ServiceError('UnsupportedMediaType', 'Content-Encoding is not supported; send the bytes as they are.');
  }
  if (/^multipart\/form-data\b/i.test(headers.get('content-type') ?? '')) {
    const message = 'A form is not taken; send the bytes of one file as the body (curl --data-binary @FILE).';
    throw new ServiceError('UnsupportedMediaType', message);
  }
}

/** The header's type, if somebody chose it: curl and axios send the type of a form for want of another. */
function typeOf(headers: HeaderReader): string | undefined {
  const type = headers.get('content-type') ?? '';
  return type === '' || /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type) ? undefined : type;
}

async function readName(
  inQuery: string | undefined,
  { headers, lengthHeader }: RequestParts,
  details: ErrorDetail[],
): Promise<string | undefined> {
  if (inQuery !== undefined) return checkName(inQuery, '?name', details);
  const found = await fileNameOf(headers.get('content-disposition'));
  if (found.kind === 'name') return checkName(found.name, 'Content-Disposition', details);
  if (found.kind === 'invalid') {
    const message = "The file name in Content-Disposition cannot be decoded; write it as filename*=UTF-8''… or ?name=.";
    details.push({ code: 'ValueNotAllowed', message, target: 'Content-Disposition' });
    return undefined;
  }
  const message = "'name' is missing: say ?name= or Content-Disposition: attachment; filename=…";
  // The opening of a chunked transfer need not say that JSON will follow.
  const orJson = lengthHeader === 'x-ms-content-length' ? ". For JSON as the body, turn off 'Allow chunking'." : '';
  details.push({ code: 'Required', message: message + orJson, target: '?name' });
  return undefined;
}

/** Real mails have attachments whose names hold tabs and line breaks; here these are read as spaces, as mail clients show them. */
function checkName(written: string, target: string, details: ErrorDetail[]): string {
  const name = written.replace(/\r\n|[\t\n\v\f\r\u0085]/g, ' ');
  if (name === '') details.push({ code: 'ValueNotAllowed', message: "'name' must not be empty.", target });
  checkText(name, target, details);
  return name;
}

function checkText(text: string | undefined, target: string, details: ErrorDetail[]): void {
  if (text === undefined || !/\p{Cc}/u.test(text)) return;
  details.push({ code: 'ValueNotAllowed', message: `${target} must not hold control characters.`, target });
}

/** Workflows write `True`. */
function readFlag(text: string | undefined, details: ErrorDetail[]): boolean | undefined {
  if (text === undefined) return undefined;
  const lower = text.toLowerCase();
  if (lower !== 'true' && lower !== 'false') {
    details.push({ code: 'ValueNotAllowed', message: "'isInline' must be true or false.", target: '?isInline' });
  }
  return lower === 'true';
}

function readSize(
  asked: string | undefined,
  { kind, headers, lengthHeader, maxBytes }: RequestParts,
  details: ErrorDetail[],
): number | undefined {
  const declared = readLength(asked, '?size', details);
  const sent = lengthHeader && readLength(headers.get(lengthHeader.toLowerCase()) ?? undefined, lengthHeader, details);
  if (declared !== undefined && sent !== undefined && declared !== sent) {
    const message = `'size' is ${declared}, ${lengthHeader} is ${sent}.`;
    details.push({ code: 'Conflict', message, target: '?size' });
  }
  const size = declared ?? sent;
  if (size !== undefined && size > maxBytes) {
    const target = declared === undefined && lengthHeader ? lengthHeader : '?size';
    details.push({ code: 'SizeTooLarge', message: tooLarge(size, target, kind, maxBytes), target });
  }
  return size;
}

function tooLarge(size: number, target: string, kind: ItemKind, maxBytes: number): string {
  const setting = kind === 'todoTask' ? 'MAX_TODO_ATTACHMENT_BYTES' : 'MAX_OUTLOOK_ATTACHMENT_BYTES';
  return `The file is too large: ${target} declares ${size} bytes, and at most ${maxBytes} can be attached (${setting}). Attach a smaller file, or send a link to it.`;
}

function readLength(text: string | undefined, target: string, details: ErrorDetail[]): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  details.push({ code: 'ValueNotAllowed', message: `${target} must be a whole number of bytes.`, target });
  return undefined;
}

/** learn.microsoft.com/graph/api/resources/taskfileattachment has neither. */
function refuseInline(query: FileQuery, details: ErrorDetail[]): void {
  for (const parameter of ['isInline', 'contentId'] as const) {
    if (query[parameter] === undefined) continue;
    const message = `An attachment of a To Do task has no '${parameter}'.`;
    details.push({ code: 'UnknownMember', message, target: `?${parameter}` });
  }
}

/** Graph's JSON, unless the request also has a file name: then the JSON itself is the file. */
export function isJsonFile({ headers, url }: Pick<IncomingRequest, 'headers' | 'url'>): boolean {
  if (!isJson(headers.get('content-type') ?? '')) return false;
  const isNamed = [...url.searchParams.keys()].some((name) => name.toLowerCase() === 'name');
  return !isNamed && !hasFileName(headers.get('content-disposition'));
}
