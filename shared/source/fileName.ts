import { parse } from 'content-disposition';

/**
 * The file's name in a Content-Disposition header: `filename*` before `filename` (RFC 6266, section 4.3), without the folders
 * that some senders leave before it (the same section). Undefined where there is none.
 */
export function fileNameOf(contentDisposition: string | null): string | undefined {
  if (contentDisposition === null) return undefined;
  return parse(asUtf8(contentDisposition)).parameters['filename']?.replace(/^.*[/\\]/s, '');
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
