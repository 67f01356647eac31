import { isObject } from '../common/isObject.ts';

/** Used if Graph does not say when a session expires. Outlook's last as long as the token in them, one to three hours in samples. */
const ASSUMED_SESSION_LIFE_MS = 3_600_000;

/** The members of Graph's uploadSession that are read here. learn.microsoft.com/graph/api/resources/uploadsession */
export interface UploadSession {
  readonly uploadUrl: string;
  /** As Graph wrote it; an hour from now where it is missing or no date. */
  readonly expirationDateTime: string;
}

/** `{uploadUrl}`, also in the older form `{"value": {uploadUrl}}` and with the capitals that some clouds use; undefined for anything else. */
export function readUploadSession(body: unknown): UploadSession | undefined {
  const session = sessionIn(body);
  const uploadUrl = session?.['uploadUrl'] ?? session?.['UploadUrl'];
  if (typeof uploadUrl !== 'string' || uploadUrl === '') return undefined;
  const end = session?.['expirationDateTime'] ?? session?.['ExpirationDateTime'];
  const isDate = typeof end === 'string' && !Number.isNaN(Date.parse(end));
  const assumed = () => new Date(Date.now() + ASSUMED_SESSION_LIFE_MS).toISOString();
  return { uploadUrl, expirationDateTime: isDate ? end : assumed() };
}

/**
 * The first byte that Graph does not hold, from an answer to a chunk: `["26"]`, `["26-"]` or `["26-99"]`, in whatever letter case
 * the service writes the member (learn.microsoft.com/graph/outlook-large-attachments, …/todo-attachments). Undefined where it
 * does not say.
 */
export function readExpectedOffset(body: unknown): number | undefined {
  const session = sessionIn(body);
  const [, ranges] = Object.entries(session ?? {}).find(([name]) => name.toLowerCase() === 'nextexpectedranges') ?? [];
  const first: unknown = Array.isArray(ranges) ? ranges[0] : undefined;
  const [, offset] = typeof first === 'string' ? (/^(\d{1,15})(-\d*)?$/.exec(first) ?? []) : [];
  return offset === undefined ? undefined : Number(offset);
}

/** The same answer with these values in place of its own; members keep their spelling and order. */
export function replaceInUploadSession(body: unknown, uploadUrl: string, ranges: readonly string[]): unknown {
  if (!isObject(body)) return body;
  if (isObject(body['value'])) return { ...body, value: replaceInUploadSession(body['value'], uploadUrl, ranges) };
  const values: Readonly<Record<string, unknown>> = { uploadurl: uploadUrl, nextexpectedranges: ranges };
  return Object.fromEntries(Object.entries(body).map(([name, value]) => [name, values[name.toLowerCase()] ?? value]));
}

function sessionIn(body: unknown): Record<string, unknown> | undefined {
  if (!isObject(body)) return undefined;
  return isObject(body['value']) ? body['value'] : body;
}
