import { decodeExtended, parse } from 'content-disposition';

/** The name in a Content-Disposition header. `invalid`: there is one, in bytes that its character set does not have. */
export type HeaderName = { readonly kind: 'none' | 'invalid' } | { readonly kind: 'name'; readonly name: string };

/**
 * Reads the file's name from a Content-Disposition header: `filename*` before `filename` (RFC 6266, section 4.3), without the
 * folders that some senders leave before it (the same section). Encoded words (RFC 2047) in `filename` are decoded: .NET's
 * HttpClient writes names with them that are not ASCII.
 */
export async function fileNameOf(contentDisposition: string | null): Promise<HeaderName> {
  const { filename, extended } = parametersOf(contentDisposition);
  const name = decodeExtended(extended ?? '') ?? (filename === undefined ? undefined : await decodeWords(filename));
  if (name !== undefined) return { kind: 'name', name: withoutFolders(name) };
  return { kind: filename === undefined && extended === undefined ? 'none' : 'invalid' };
}

/** Whether the header has a name, valid or not. */
export function hasFileName(contentDisposition: string | null): boolean {
  const { filename, extended } = parametersOf(contentDisposition);
  return filename !== undefined || extended !== undefined;
}

function parametersOf(header: string | null): { readonly filename?: string; readonly extended?: string } {
  if (header === null) return {};
  const { filename, 'filename*': extended } = parse(asUtf8(header), { extended: false }).parameters;
  return { ...(filename !== undefined && { filename }), ...(extended !== undefined && { extended }) };
}

function withoutFolders(path: string): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}

/** Undefined if a word's bytes are not valid in its character set. */
async function decodeWords(text: string): Promise<string | undefined> {
  if (!text.includes('=?')) return text;
  const { libmime } = await import('./fileNameLibrary.ts');
  const decoded = libmime.decodeWords(text);
  return decoded.includes('\ufffd') && !text.includes('\ufffd') ? undefined : decoded;
}

/** Names that are sent as plain UTF-8, as curl and browsers do, may arrive as Latin-1, a character a byte. */
function asUtf8(header: string): string {
  const isBytes = /[^\p{ASCII}]/u.test(header) && !/[\u0100-\uffff]/.test(header);
  if (!isBytes) return header;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(header, 'latin1'));
  } catch {
    return header;
  }
}
