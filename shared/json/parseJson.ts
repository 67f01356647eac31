import { ServiceError } from '../errors.ts';

/** `fatal`: bytes that are no UTF-8 are refused, not replaced. A byte order mark is dropped (RFC 8259, section 8.1). */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Bytes to a JSON value of unknown shape.
 *
 * @param placeOf where a character of these bytes stands in what the caller sent, where that is more than these bytes
 * @throws ServiceError InvalidJson
 */
export function parseJson(bytes: Uint8Array, placeOf = (position: number) => position): unknown {
  if (bytes.byteLength === 0) throw new ServiceError('InvalidJson', 'The body is empty; send one JSON object.');
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (error) {
    throw new ServiceError('InvalidJson', 'The body is not UTF-8. Send the JSON in UTF-8.', { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ServiceError('InvalidJson', `The body is not JSON${positionIn(error, placeOf)}.`);
  }
}

/** The parser's own message quotes the body, which may hold a file name: caller and log get the place alone. */
function positionIn(error: unknown, placeOf: (position: number) => number): string {
  const position = error instanceof SyntaxError ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
  return position === undefined ? '' : ` (at character ${placeOf(Number(position))})`;
}
