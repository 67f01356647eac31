import { ServiceError } from '../errors.ts';

/** `fatal`: bytes that are no UTF-8 are refused, not replaced. A byte order mark is dropped (RFC 8259, section 8.1). */
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Bytes to a JSON value of unknown shape.
 *
 * @throws ServiceError InvalidJson
 */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.byteLength === 0) throw new ServiceError('InvalidJson', 'The body is empty; send one JSON object.');
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch (error) {
    throw new ServiceError('InvalidJson', 'The body is not UTF-8.', { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ServiceError('InvalidJson', `The body is not JSON${positionIn(error)}.`);
  }
}

/** The parser's own message quotes the body, which may hold a file name: caller and log get the place alone. */
function positionIn(error: unknown): string {
  const position = error instanceof SyntaxError ? /at position (\d+)/.exec(error.message)?.[1] : undefined;
  return position === undefined ? '' : ` (at character ${position})`;
}
