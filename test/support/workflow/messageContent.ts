/** The engine fails an action whose answer says that it is JSON and is not. */
export class ContentFault extends Error {
  override readonly name = 'ContentFault';
}

/** What goes over the wire. */
export interface WireContent {
  readonly bytes: Buffer;
  readonly contentType: string;
}

/**
 * A body as the engine hands it to expressions: JSON is parsed, text stays text, all else becomes an object with base64
 * (learn.microsoft.com/azure/logic-apps/logic-apps-content-type). Undefined for no bytes at all.
 *
 * @throws ContentFault
 */
export function readContent(bytes: Buffer, contentType: string | undefined): unknown {
  if (bytes.length === 0) return undefined;
  if (isJson(contentType)) {
    try {
      return JSON.parse(bytes.toString());
    } catch {
      throw new ContentFault('The answer is declared as JSON and cannot be parsed.');
    }
  }
  if (contentType?.startsWith('text/')) return bytes.toString();
  return { '$content-type': contentType ?? 'application/octet-stream', $content: bytes.toString('base64') };
}

/** The bytes of an evaluated body: a content object by itself becomes the bytes that it stands for, inside JSON it stays as it is. */
export function writeContent(body: unknown): WireContent | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string') return { bytes: Buffer.from(body), contentType: 'text/plain; charset=utf-8' };
  if (isContentObject(body)) {
    return { bytes: Buffer.from(body.$content, 'base64'), contentType: body['$content-type'] };
  }
  return { bytes: Buffer.from(JSON.stringify(body)), contentType: 'application/json; charset=utf-8' };
}

function isJson(contentType: string | undefined): boolean {
  return /^[^;]*\bjson\b/i.test(contentType ?? '');
}

function isContentObject(body: unknown): body is { readonly '$content-type': string; readonly $content: string } {
  return typeof body === 'object' && body !== null && '$content-type' in body && '$content' in body;
}
