/** The body as text, or undefined when it is over `maxBytes` (the rest is still read). Rejects when the client goes away. */
export async function readBody(request: AsyncIterable<Buffer>, maxBytes: number): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes <= maxBytes) parts.push(part);
  }
  return bytes <= maxBytes ? Buffer.concat(parts).toString() : undefined;
}
