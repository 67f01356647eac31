import type { RequestHeaders } from './request.ts';

/** Whether the body is coded, as with gzip. The app takes no coding; `identity` is none (RFC 9110, section 8.4). */
export function hasContentCoding(headers: RequestHeaders): boolean {
  const codings = (headers.get('content-encoding') ?? '').split(',').map((coding) => coding.trim().toLowerCase());
  return codings.some((coding) => coding !== '' && coding !== 'identity');
}
