/** Headers that concern one connection only: RFC 9110 §7.6.1, and what YARP adds to it. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Of a flat list of names and values, those that may go on to the next hop and are not in `without` (lower case). */
export function endToEndHeaders(rawHeaders: readonly string[], without: readonly string[] = []): string[] {
  const dropped = new Set(without);
  const kept: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === 'connection') {
      for (const name of rawHeaders[at + 1]?.split(',') ?? []) {
        dropped.add(name.trim().toLowerCase());
      }
    }
  }
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const lowerCased = name.toLowerCase();
    if (!HOP_BY_HOP.has(lowerCased) && !dropped.has(lowerCased)) {
      kept.push(name, rawHeaders[at + 1] ?? '');
    }
  }
  return kept;
}
