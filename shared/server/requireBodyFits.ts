import { ServiceError } from '../errors.ts';

/**
 * Refuses a body that the platform would break off: it repeats such a request ten times, answers an empty 500, and the bytes
 * have gone up to Graph for nothing.
 *
 * @param what the body is, as the subject of the message
 * @param bytes of the body; undefined: nobody has declared it
 * @param limitBytes as in Config.maxRequestBodyBytes
 * @throws ServiceError RequestBodyTooLarge
 */
export function requireBodyFits(
  what: 'The file' | 'The JSON' | 'A chunk',
  bytes: number | undefined,
  limitBytes: number,
): void {
  if (bytes === undefined || bytes <= limitBytes) return;
  const others = {
    'The file':
      "in chunks (x-ms-transfer-mode: chunked), from its sourceUrl, or in ranges to an upload session's uploadUrl",
    'The JSON': 'as bytes, from its sourceUrl, or in ranges to the uploadUrl of an upload session',
    'A chunk': 'from its sourceUrl',
  }[what];
  const message = `${what} has ${bytes} bytes, and one request carries at most ${limitBytes} here (FUNCTIONS_REQUEST_BODY_SIZE_LIMIT). Send the file ${others}.`;
  throw new ServiceError('RequestBodyTooLarge', message);
}
