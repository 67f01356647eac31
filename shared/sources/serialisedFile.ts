import { isObject } from '../common/isObject.ts';
import type { ErrorDetail, ServiceError } from '../errors.ts';
import { CONTENT_OBJECT } from '../json/bodyShape.ts';
import { parseJson } from '../json/parseJson.ts';
import { invalidAttachment, validateShape } from '../json/validateShape.ts';
import type { DecodedBytes } from './base64Decoder.ts';
import { type ReadableBody, readPatiently } from './bodySource.ts';
import { FileSplitter } from './fileSplitter.ts';
import type { JsonLimits } from './jsonAttachment.ts';
import type { JsonReservation } from './jsonMemory.ts';
import { splitBody } from './splitBody.ts';

/** What a body of JSON with a file name next to it holds: the file as it was sent, or the file of a content object, decoded. */
export type SerialisedFile =
  | { readonly kind: 'asSent'; readonly body: ReadableBody }
  | { readonly kind: 'decoded'; readonly bytes: DecodedBytes; readonly contentType: string | undefined };

/** So much of a body tells what it is. Our choice: white space and the first members of a content object are shorter. */
const SAMPLE_BYTES = 4096;

/** Extensions of files that are JSON, next to those that have `json` in them. */
const JSON_EXTENSIONS = new Set(['gltf', 'har', 'ipynb', 'map', 'webmanifest']);

/** Whether the caller says that the file itself is JSON, by its name or by the type that was chosen for it. */
export function isJsonByName(name: string, chosenType = ''): boolean {
  const dot = name.lastIndexOf('.');
  const extension = dot === -1 ? '' : name.slice(dot + 1).toLowerCase();
  const [essence = ''] = chosenType.split(';');
  return extension.includes('json') || JSON_EXTENSIONS.has(extension) || /[/+]json\s*$/i.test(essence);
}

/**
 * Reads a body that came as application/json with the name of a file that is not JSON. Custom connectors serialise binary content:
 * a content object of Logic Apps is decoded. What other clients make of bytes they cannot send (`{}`, a string, a list of
 * numbers) is an error, since the file would be attached as that text. Any other body is the file.
 *
 * @param held counts the decoded bytes of a content object
 * @throws ServiceError InvalidAttachment, InvalidJson, RequestBodyTooLarge, RequestBodyTimeout, InstanceBusy, or what the body's own read throws
 */
export async function readSerialisedFile(
  body: ReadableBody,
  limits: JsonLimits,
  held: JsonReservation,
  signal: AbortSignal,
): Promise<SerialisedFile> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let isWhole = false;
  while (bytes <= SAMPLE_BYTES && !isWhole) {
    const chunk = await readPatiently(body, signal);
    isWhole = chunk === undefined;
    bytes += chunk?.length ?? 0;
    if (chunk !== undefined) chunks.push(chunk);
  }
  const sample = Buffer.concat(chunks).toString('latin1', 0, SAMPLE_BYTES).replace(BYTE_ORDER_MARK, '').trimStart();
  const whole: ReadableBody = { read: async (until) => chunks.shift() ?? body.read(until) };
  if (/^\{\s*"\$content(?:-type)?"\s*:/i.test(sample)) return readContentObject(whole, limits, held, signal);
  const found = SERIALISED.find(({ start, all }) => (isWhole ? all : start)?.test(sample));
  if (found !== undefined) throw notBytes(found.says);
  return { kind: 'asSent', body: whole };
}

/** In UTF-8, a character a byte. */
const BYTE_ORDER_MARK = /^\u00ef\u00bb\u00bf/;

/** Bytes as JSON serialisers write them: how a body begins that is longer than the sample, and a whole one. */
const SERIALISED: readonly { readonly says: string; readonly start?: RegExp; readonly all: RegExp }[] = [
  { says: '{}', all: /^\{\s*\}\s*$/ },
  { says: 'null', all: /^null\s*$/ },
  { says: 'a string in quotes', start: /^"(?:[^"\\\n]|\\.)*\\?$/, all: /^"(?:[^"\\\n]|\\.)*"\s*$/ },
  { says: 'a list of numbers', start: /^\[[\d\s,-]*$/, all: /^\[[\d\s,-]*\]\s*$/ },
  // JSON.stringify of Node's Buffer and of a Uint8Array.
  ...[/^\{\s*"type"\s*:\s*"Buffer"\s*,\s*"data"\s*:/, /^\{\s*"0"\s*:\s*\d{1,3}\s*[,}]/].map((start) => ({
    says: 'an object with a list of numbers',
    start,
    all: start,
  })),
];

function notBytes(says: string): ServiceError {
  const message = `The body is JSON (${says}), not the bytes of the file. Send the bytes with Content-Type: application/octet-stream, or the content object {"$content-type": …, "$content": "<base64>"}. If this JSON is the file, end its name in .json.`;
  return invalidAttachment('The file was not sent as bytes', [{ code: 'WrongType', message, target: '' }]);
}

async function readContentObject(
  body: ReadableBody,
  { maxJsonAttachmentBytes, maxBytes }: JsonLimits,
  held: JsonReservation,
  signal: AbortSignal,
): Promise<SerialisedFile> {
  const splitter = new FileSplitter('$content');
  const bytes = await splitBody(body, splitter, maxJsonAttachmentBytes, held, signal);
  const details: ErrorDetail[] = [];
  const parsed = parseJson(splitter.json, (position) => splitter.positionInBody(position));
  const { canonical, unlisted } = validateShape(parsed, CONTENT_OBJECT, details);
  const add = (code: ErrorDetail['code'], message: string) => details.push({ code, message, target: '/$content' });
  if (splitter.contents > 1) add('DuplicateMember', "'$content' stands here more than once.");
  if (splitter.content.fault !== undefined) add('ValueNotAllowed', `'$content' ${splitter.content.fault}.`);
  if (bytes.sizeBytes > maxBytes) {
    add('SizeTooLarge', `At most ${maxBytes} bytes can be attached; $content has ${bytes.sizeBytes}.`);
  }
  if (details.length > 0) throw invalidAttachment('The body is not a content object', details, unlisted);
  const contentType = isObject(canonical) ? canonical['$content-type'] : undefined;
  return { kind: 'decoded', bytes, contentType: typeof contentType === 'string' ? contentType : undefined };
}
