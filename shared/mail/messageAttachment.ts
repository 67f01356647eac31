import { isObject } from '../common/isObject.ts';
import type { DetailCode, ErrorDetail } from '../errors.ts';
import { FILE_ATTACHMENT } from '../json/bodyShape.ts';
import { validateShape } from '../json/validateShape.ts';
import type { DeclaredFile } from '../sources/declaredFile.ts';
import type { JsonContent } from '../sources/jsonAttachment.ts';
import { parseSourceUrl } from '../sources/sourceUrl.ts';
import { canonicalOther } from './canonicalMessage.ts';
import { type DecodedFile, foldName } from './messageScanner.ts';

/** `pointer` is its place in the body. */
export type MessageAttachment =
  | { readonly kind: 'file'; readonly file: DeclaredFile; readonly content: JsonContent; readonly pointer: string }
  /** An item or a reference, for Graph as it is. */
  | { readonly kind: 'other'; readonly json: Readonly<Record<string, unknown>>; readonly pointer: string };

const TYPES = ['fileAttachment', 'itemAttachment', 'referenceAttachment'] as const;
type AttachmentType = (typeof TYPES)[number];

/** The namespaces of Graph, and of the Outlook API before it. */
const NAMESPACE = /^#?microsoft\.(?:graph|outlookservices)\./;

/**
 * Reads one attachment of a message; undefined if something is wrong with it, which is then in `details`.
 *
 * @param decoded the bytes that the scanner took out of it
 */
export function readMessageAttachment(
  written: Readonly<Record<string, unknown>>,
  decoded: DecodedFile | undefined,
  maxFileBytes: number,
  pointer: string,
  details: ErrorDetail[],
): MessageAttachment | undefined {
  const add = (code: DetailCode, message: string, target: string) => {
    details.push({ code, message, target: `${pointer}${target}` });
  };
  const type = typeOf(written);
  if (type === undefined) {
    const known = TYPES.map((name) => `#microsoft.graph.${name}`).join(', ');
    add('ValueNotAllowed', `An attachment needs '@odata.type', one of ${known}.`, '/@odata.type');
    return undefined;
  }
  if (type !== 'fileAttachment') return { kind: 'other', json: canonicalOther(type, written), pointer };
  const found: ErrorDetail[] = [];
  const { canonical } = validateShape(withGraphType(written), FILE_ATTACHMENT, found);
  for (const { code, message, target } of found) add(code, message, target);
  const members = isObject(canonical) ? canonical : {};
  const content = readContent(members, decoded, maxFileBytes, add);
  return content && found.length === 0
    ? { kind: 'file', file: declaredIn(members, content), content, pointer }
    : undefined;
}

/** A file needs no type: Graph would reject it without one, and its members leave no doubt. */
function typeOf(attachment: Readonly<Record<string, unknown>>): AttachmentType | undefined {
  const names = Object.keys(attachment);
  const typeName = names.find((name) => foldName(name) === '@odata.type');
  const written = typeName === undefined ? undefined : attachment[typeName];
  if (typeof written === 'string') {
    const name = written.toLowerCase().replace(NAMESPACE, '');
    return TYPES.find((type) => type.toLowerCase() === name);
  }
  return names.some((name) => ['contentbytes', 'sourceurl'].includes(foldName(name))) ? 'fileAttachment' : undefined;
}

function withGraphType(attachment: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const others = Object.entries(attachment).filter(([name]) => !name.includes('@'));
  return { '@odata.type': '#microsoft.graph.fileAttachment', ...Object.fromEntries(others) };
}

/** Exactly one of contentBytes and sourceUrl; null counts as absent, as for Graph. */
function readContent(
  { contentBytes, sourceUrl }: Readonly<Record<string, unknown>>,
  decoded: DecodedFile | undefined,
  maxFileBytes: number,
  add: (code: DetailCode, message: string, target: string) => void,
): JsonContent | undefined {
  const hasUrl = sourceUrl !== undefined && sourceUrl !== null;
  if (decoded !== undefined) {
    const { fault, ...bytes } = decoded;
    if (hasUrl) add('Conflict', "Send either 'contentBytes' or 'sourceUrl'.", '/sourceUrl');
    else if (fault !== undefined) add('ValueNotAllowed', `'contentBytes' ${fault}.`, '/contentBytes');
    else if (bytes.sizeBytes > maxFileBytes) {
      const message = `A file may have at most ${maxFileBytes} bytes; this one has ${bytes.sizeBytes}.`;
      add('SizeTooLarge', message, '/contentBytes');
    } else return { kind: 'bytes', ...bytes };
    return undefined;
  }
  if (!hasUrl) {
    const isAbsent = contentBytes === undefined || contentBytes === null;
    if (isAbsent) add('Required', "The file is missing. Send 'contentBytes' (base64) or 'sourceUrl'.", '/contentBytes');
    else add('WrongType', "'contentBytes' must be text in base64.", '/contentBytes');
    return undefined;
  }
  const parsed = typeof sourceUrl === 'string' ? parseSourceUrl(sourceUrl) : undefined;
  if (parsed?.kind === 'ok') return { kind: 'address', url: parsed.url };
  add('ValueNotAllowed', `'sourceUrl' ${parsed?.fault ?? 'must be string'}.`, '/sourceUrl');
  return undefined;
}

function declaredIn(members: Readonly<Record<string, unknown>>, content: JsonContent): DeclaredFile {
  const { name, contentType, isInline, contentId, contentBytes } = members;
  const type = contentType ?? (isObject(contentBytes) ? contentBytes['$content-type'] : undefined);
  return {
    name: String(name),
    ...(content.kind === 'bytes' && { sizeBytes: content.sizeBytes }),
    ...(typeof type === 'string' && { contentType: type }),
    ...(typeof isInline === 'boolean' && { isInline }),
    ...(typeof contentId === 'string' && { contentId }),
  };
}
