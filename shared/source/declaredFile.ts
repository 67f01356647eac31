import { invalidAttachment } from '../body/checkShape.ts';
import { type ErrorDetail, ServiceError } from '../errors.ts';
import { hasContentCoding } from '../request/contentCoding.ts';
import type { ItemKind } from '../route/entityModel.ts';
import { fileNameOf } from './fileName.ts';

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
  readonly query: URLSearchParams;
  readonly headers: HeaderReader;
  /** The header that has the file's length; of the opening of a workflow's chunked transfer, `x-ms-content-length`. */
  readonly lengthHeader: 'Content-Length' | 'x-ms-content-length';
  /** The largest file that is admitted, in bytes. */
  readonly ceilingBytes: number;
}

/**
 * Reads what a request with the file's bytes as its body declares: `?name=` (or the name in Content-Disposition), `?size=` (or
 * the length header, or both alike), `?isInline=`, `?contentId=`, and Content-Type. Names of parameters match without regard to
 * case, as Graph's do; other parameters are not looked at.
 *
 * @throws ServiceError InvalidAttachment with one detail per fault, UnsupportedMediaType
 */
export function readDeclaredFile(parts: RequestParts): DeclaredFile {
  checkCoding(parts);
  const details: ErrorDetail[] = [];
  const query = readQuery(parts.query, details);
  const contentType = parts.headers.get('content-type') ?? undefined;
  const isInline = readFlag(query.isInline, details);
  const { contentId } = query;
  const name = query.name ?? fileNameOf(parts.headers.get('content-disposition'));
  checkName(name, query.name === undefined ? 'Content-Disposition' : '?name', parts, details);
  checkText(contentId, '?contentId', details);
  const sizeBytes = readSize(query.size, parts, details);
  if (parts.kind === 'todoTask') refuseInline(query, details);
  if (details.length > 0) throw invalidAttachment('The request does not declare a file to attach', details);
  return {
    name: name ?? '',
    ...(sizeBytes !== undefined && { sizeBytes }),
    ...(contentType !== undefined && { contentType }),
    ...(isInline !== undefined && { isInline }),
    ...(contentId !== undefined && { contentId }),
  };
}

const PARAMETERS = ['name', 'size', 'isInline', 'contentId'] as const;

type Query = { [P in (typeof PARAMETERS)[number]]?: string };

function readQuery(query: URLSearchParams, details: ErrorDetail[]): Query {
  const values: Query = {};
  for (const [written, value] of query) {
    const parameter = PARAMETERS.find((name) => name.toLowerCase() === written.toLowerCase());
    if (parameter === undefined) continue;
    if (values[parameter] !== undefined) {
      const message = `'${parameter}' stands in the query more than once.`;
      details.push({ code: 'DuplicateMember', message, target: `?${parameter}` });
    }
    values[parameter] = value;
  }
  return values;
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

function checkName(
  name: string | undefined,
  target: string,
  { lengthHeader }: RequestParts,
  details: ErrorDetail[],
): void {
  if (name === undefined) {
    const message = "'name' is missing: say ?name= or Content-Disposition: attachment; filename=…";
    // The opening of a chunked transfer need not say that JSON will follow.
    const orJson = lengthHeader === 'Content-Length' ? '' : ". For JSON as the body, turn off 'Allow chunking'.";
    details.push({ code: 'Required', message: message + orJson, target: '?name' });
  } else if (name === '') {
    details.push({ code: 'ValueNotAllowed', message: "'name' must not be empty.", target });
  } else checkText(name, target, details);
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
  { headers, lengthHeader, ceilingBytes }: RequestParts,
  details: ErrorDetail[],
): number | undefined {
  const declared = readLength(asked, '?size', details);
  const sent = readLength(headers.get(lengthHeader.toLowerCase()) ?? undefined, lengthHeader, details);
  if (declared !== undefined && sent !== undefined && declared !== sent) {
    const message = `'size' is ${declared}, ${lengthHeader} is ${sent}.`;
    details.push({ code: 'Conflict', message, target: '?size' });
  }
  const size = declared ?? sent;
  if (size !== undefined && size > ceilingBytes) {
    const message = `At most ${ceilingBytes} bytes can be attached; ${size} were declared.`;
    details.push({ code: 'SizeTooLarge', message, target: declared === undefined ? lengthHeader : '?size' });
  }
  return size;
}

function readLength(text: string | undefined, target: string, details: ErrorDetail[]): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  details.push({ code: 'ValueNotAllowed', message: `${target} must be a whole number of bytes.`, target });
  return undefined;
}

/** learn.microsoft.com/graph/api/resources/taskfileattachment has neither. */
function refuseInline(query: Query, details: ErrorDetail[]): void {
  for (const parameter of ['isInline', 'contentId'] as const) {
    if (query[parameter] === undefined) continue;
    const message = `An attachment of a To Do task has no '${parameter}'.`;
    details.push({ code: 'UnknownMember', message, target: `?${parameter}` });
  }
}
