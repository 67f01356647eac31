import { ServiceError } from '../errors.ts';

/** An uploadUrl taken apart without being rewritten: its token is bound to its spelling. */
export interface UploadAddress {
  readonly origin: string;
  /** Path and query, byte for byte. */
  readonly path: string;
}

/**
 * Reads Graph's uploadUrl. Bytes go to hosts that the settings name and to Graph's own, over https, to sessions of
 * attachments alone: whatever else an answer of Graph may say, nothing is sent there.
 *
 * @param hosts names with their port where it is not 443
 * @throws ServiceError UploadHostNotAllowed
 */
export function readUploadAddress(uploadUrl: string, hosts: readonly string[]): UploadAddress {
  const [, authority = '', path = ''] = /^https:\/\/([^/?#\\@]+)(\/[^#\\]*)$/i.exec(uploadUrl) ?? [];
  const url = URL.canParse(uploadUrl) ? new URL(uploadUrl) : undefined;
  const isAllowed = url !== undefined && hosts.includes(url.host) && authority.toLowerCase() === url.host;
  if (!isAllowed || !/\/attachmentSessions\b/i.test(url.pathname) || !isSendable(path)) {
    throw new ServiceError(
      'UploadHostNotAllowed',
      'Graph named an address for the bytes that the proxy may not send to.',
      {
        cause: `host ${url?.host ?? 'unknown'}`,
      },
    );
  }
  return { origin: url.origin, path };
}

/** No byte that ends a request line, and no dot segment that a server would resolve to another resource. */
function isSendable(path: string): boolean {
  return /^[\x21-\x7e]+$/.test(path) && !/\/(\.|%2e){1,2}(\/|\?|$)/i.test(path);
}
