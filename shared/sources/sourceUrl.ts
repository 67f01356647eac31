import { isIP } from 'node:net';
import { MAX_SOURCE_URL_LENGTH } from '../common/limits.ts';

/** A percent sign in a file's name, encoded, sent by a client that encodes once too often, is two layers. */
const MAX_ENCODING_LAYERS = 4;

export type SourceUrlResult =
  | { readonly kind: 'ok'; readonly url: URL }
  | { readonly kind: 'fault'; readonly fault: string };

/**
 * An address that bytes may be read from, whatever the policy says of it: https, a host name, no user info. The checks are
 * made on what the URL parser made of the text, which is what is connected to: it turns `127.1`, `0x7f000001` and `①②⑦.0.0.1`
 * into 127.0.0.1 and resolves dot segments, `%2e%2e` among them (url.spec.whatwg.org).
 */
export function parseSourceUrl(text: string): SourceUrlResult {
  if (text.length > MAX_SOURCE_URL_LENGTH) return fault(`must have at most ${MAX_SOURCE_URL_LENGTH} characters`);
  if (hasControlCharacter(text) || !URL.canParse(text)) return fault('must be an absolute https URL');
  const url = new URL(text);
  if (url.protocol !== 'https:') return fault('must be an https URL');
  if (url.username !== '' || url.password !== '') return fault('must not contain a user name or a password');
  if (isIpLiteral(url.hostname)) return fault('must name its host, not an IP address');
  if (climbs(url.pathname)) return fault('must not contain . or .. in its path, encoded or not');
  url.hash = ''; // It is never sent.
  return { kind: 'ok', url };
}

/** A host as the URL parser writes it: IPv4 in dotted form, IPv6 in brackets. */
export function isIpLiteral(hostname: string): boolean {
  return isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
}

/**
 * True where a server that decodes again after the URL parser, or takes `\\` for `/` or `..;x` for `..`, could leave the folder.
 * Encoded slashes alone are no fault: clients of Azure Storage encode those within a blob's name.
 */
export function climbs(pathname: string): boolean {
  let path = pathname;
  for (let layer = 0; layer <= MAX_ENCODING_LAYERS; layer += 1) {
    if (path.split(/[/\\]/).some((segment) => /^\.{1,2}(;|$)/.test(segment))) return true;
    const decoded = path.replace(/%(?:2e|2f|5c|3b|25)/gi, decodeURIComponent);
    if (decoded === path) return false;
    path = decoded;
  }
  return true; // Nothing honest is encoded so often.
}

/** The URL parser drops tabs and line breaks silently. */
function hasControlCharacter(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

function fault(text: string): SourceUrlResult {
  return { kind: 'fault', fault: text };
}
