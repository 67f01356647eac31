/** What YARP never sends on, in either direction (RequestUtilities). `Trailer` is Node's: it refuses to send it. */
const HOP_BY_HOP = new Set([
  'alpn',
  'alt-svc',
  'close',
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'proxy-features',
  'proxy-instruction',
  'security-scheme',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'upgrade-insecure-requests',
]);

/** Whether a header concerns one connection only. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name.toLowerCase());
}

/** Of a flat list of names and values, those that may go on to the next hop and are not in `without` (lower case). */
export function endToEndHeaders(rawHeaders: readonly string[], without: readonly string[] = []): string[] {
  const dropped = new Set(without);
  for (const [name, value] of pairs(rawHeaders)) {
    if (name.toLowerCase() === 'connection') {
      for (const listed of value.split(',')) {
        dropped.add(listed.trim().toLowerCase());
      }
    }
  }
  return pairs(rawHeaders)
    .filter(([name]) => !isHopByHop(name) && !dropped.has(name.toLowerCase()))
    .flat();
}

function pairs(rawHeaders: readonly string[]): [name: string, value: string][] {
  return Array.from({ length: rawHeaders.length / 2 }, (_, index) => [
    rawHeaders[index * 2] ?? '',
    rawHeaders[index * 2 + 1] ?? '',
  ]);
}
