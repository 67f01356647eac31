import type { IncomingMessage } from 'node:http';

/** Names in lower case, each with its values in the order in which they were sent. */
export type RequestHeaders = ReadonlyMap<string, readonly string[]>;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads the headers as Kestrel does, as UTF-8. Undefined: a value is not UTF-8, for which Kestrel answers 400. */
export function readRequestHeaders(request: IncomingMessage): RequestHeaders | undefined {
  try {
    return new Map(Object.entries(request.headersDistinct).map(([name, values = []]) => [name, values.map(decode)]));
  } catch {
    return undefined;
  }
}

/** Node gives each byte of a header as one character. */
function decode(value: string): string {
  return isAscii(value) ? value : utf8.decode(Buffer.from(value, 'latin1'));
}

export function isAscii(text: string): boolean {
  return /^[\t\x20-\x7e]*$/.test(text);
}
