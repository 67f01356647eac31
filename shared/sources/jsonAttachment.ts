import { isObject } from '../common/isObject.ts';
import type { ErrorDetail } from '../errors.ts';
import { FILE_ATTACHMENT, TASK_FILE_ATTACHMENT } from '../json/bodyShape.ts';
import { parseJson } from '../json/parseJson.ts';
import { invalidAttachment, validateShape } from '../json/validateShape.ts';
import type { ItemKind } from '../paths/entityModel.ts';
import type { DecodedBytes } from './base64Decoder.ts';
import type { ReadableBody } from './bodySource.ts';
import type { DeclaredFile } from './declaredFile.ts';
import { contentDetail, FileSplitter, NOT_BASE64_TEXT } from './fileSplitter.ts';
import type { JsonReservation } from './jsonMemory.ts';
import { parseSourceUrl } from './sourceUrl.ts';
import { splitBody } from './splitBody.ts';

/** Where the bytes of the attachment are: in memory, decoded, or at an address that parseSourceUrl has passed. */
export type JsonContent = ({ readonly kind: 'bytes' } & DecodedBytes) | { readonly kind: 'address'; readonly url: URL };

/** A body that has passed every rule. Only readJsonAttachment makes one. */
export interface JsonAttachment {
  /** With the size where the bytes are in the body. */
  readonly file: DeclaredFile;
  readonly content: JsonContent;
}

export interface JsonLimits {
  /** The largest file that is taken in JSON, decoded: the setting MAX_JSON_ATTACHMENT_BYTES. */
  readonly maxJsonAttachmentBytes: number;
  /** The largest file that is admitted, in bytes. */
  readonly maxBytes: number;
}

/**
 * Reads Graph's own JSON for a file, `#microsoft.graph.fileAttachment` (To Do: `taskFileAttachment`), with `sourceUrl` or the
 * content object of Logic Apps as other ways to hand over the bytes. These are decoded while they arrive and are held once;
 * other requests get their turn after every step of MAX_DECODE_STEP_BYTES.
 *
 * @param held is told of the decoded bytes as they come; whoever opened it releases them
 * @throws ServiceError InvalidJson, InvalidAttachment with one detail per fault, RequestBodyTooLarge, RequestBodyTimeout, InstanceBusy,
 * or what the body's own read throws
 */
export async function readJsonAttachment(
  body: ReadableBody,
  kind: ItemKind,
  limits: JsonLimits,
  held: JsonReservation,
  signal: AbortSignal,
): Promise<JsonAttachment> {
  const splitter = new FileSplitter();
  const bytes = await splitBody(body, splitter, limits.maxJsonAttachmentBytes, held, signal);
  return check(parseRest(splitter), bytes, splitter, kind, limits);
}

/** A workflow that writes an object between quotes leaves them unescaped: then the quotes are at fault, not the syntax. */
function parseRest(splitter: FileSplitter): unknown {
  try {
    return parseJson(splitter.json, (position) => splitter.positionInBody(position));
  } catch (error) {
    throw splitter.content.isObjectInQuotes ? splitter.contentError() : error;
  }
}

function check(
  parsed: unknown,
  bytes: DecodedBytes,
  { content, contents }: FileSplitter,
  kind: ItemKind,
  { maxBytes }: JsonLimits,
): JsonAttachment {
  const shape = kind === 'todoTask' ? TASK_FILE_ATTACHMENT : FILE_ATTACHMENT;
  const details: ErrorDetail[] = [];
  const body = replaceOtherContent(parsed, details);
  const { canonical, unlisted } = validateShape(body, shape, details);
  const members = isObject(canonical) ? canonical : {};
  if (contents > 1) details.push(contentDetail('DuplicateMember', "'contentBytes' stands here more than once."));
  if (content.fault !== undefined) details.push(contentDetail('ValueNotAllowed', `'contentBytes' ${content.fault}.`));
  if (bytes.sizeBytes > maxBytes) {
    const message = `At most ${maxBytes} bytes can be attached; contentBytes has ${bytes.sizeBytes}.`;
    details.push(contentDetail('SizeTooLarge', message));
  }
  const chosen = chooseContent(members, bytes, details);
  if (chosen === undefined || details.length > 0) {
    throw invalidAttachment(`The body does not describe ${shape.describes}`, details, unlisted);
  }
  return { file: declaredIn(members, chosen), content: chosen };
}

/**
 * What JSON writers make of bytes (a list of numbers, a Buffer's or a typed array's members) gets one fault, not one for each of
 * its members: an empty text stands for it from here on.
 */
function replaceOtherContent(parsed: unknown, details: ErrorDetail[]): unknown {
  if (!isObject(parsed)) return parsed;
  const others = Object.entries(parsed).filter(([name, value]) => isContentBytes(name) && !isContent(value));
  if (others.length === 0) return parsed;
  details.push(contentDetail('WrongType', NOT_BASE64_TEXT));
  return { ...parsed, ...Object.fromEntries(others.map(([name]) => [name, ''])) };
}

function isContentBytes(name: string): boolean {
  return name.toLowerCase() === 'contentbytes';
}

function isContent(value: unknown): boolean {
  if (value === null || typeof value === 'string') return true;
  return isObject(value) && Object.keys(value).some((name) => name.toLowerCase() === '$content');
}

/** Exactly one of the two; Graph's own null stands for a member that is absent. */
function chooseContent(
  { contentBytes, sourceUrl }: Readonly<Record<string, unknown>>,
  bytes: DecodedBytes,
  details: ErrorDetail[],
): JsonContent | undefined {
  const hasBytes = contentBytes !== undefined && contentBytes !== null;
  const hasAddress = sourceUrl !== undefined && sourceUrl !== null;
  if (hasBytes && hasAddress) {
    const message = "'contentBytes' and 'sourceUrl' exclude each other. Send one of them.";
    details.push({ code: 'Conflict', message, target: '/sourceUrl' });
  }
  if (hasBytes) return { kind: 'bytes', ...bytes };
  if (!hasAddress) {
    const message = "The file is missing. Send its bytes in 'contentBytes' (base64), or its URL in 'sourceUrl'.";
    details.push(contentDetail('Required', message));
    return undefined;
  }
  const parsed = typeof sourceUrl === 'string' ? parseSourceUrl(sourceUrl) : undefined;
  if (parsed?.kind === 'ok') return { kind: 'address', url: parsed.url };
  const message = `'sourceUrl' ${parsed?.fault ?? 'must be string'}.`;
  details.push({ code: 'ValueNotAllowed', message, target: '/sourceUrl' });
  return undefined;
}

function declaredIn(members: Readonly<Record<string, unknown>>, content: JsonContent): DeclaredFile {
  const { name, contentType, isInline, contentId, contentBytes } = members;
  const envelopeType = isObject(contentBytes) ? contentBytes['$content-type'] : undefined;
  const type = typeof contentType === 'string' ? contentType : envelopeType;
  return {
    name: String(name),
    ...(content.kind === 'bytes' && { sizeBytes: content.sizeBytes }),
    ...(typeof type === 'string' && { contentType: type }),
    ...(typeof isInline === 'boolean' && { isInline }),
    ...(typeof contentId === 'string' && { contentId }),
  };
}
