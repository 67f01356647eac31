/** A request target as Kestrel hands it on: the path decoded once and free of dot segments, the query as sent. */
export interface RequestTarget {
  readonly path: string;
  /** Empty, or the query with its question mark. */
  readonly query: string;
}

/**
 * Reads the target of a request line. Returns undefined if Kestrel would return 400, because of a null character or a
 * target that is not a path. (ASP.NET Core: PathDecoder, PathNormalizer) Bytes beyond ASCII that are not escaped never
 * come here: Kestrel reads them as UTF-8, Node's parser refuses them with 400.
 */
export function readRequestTarget(raw: string): RequestTarget | undefined {
  const end = raw.indexOf('?');
  const rawPath = end < 0 ? raw : raw.slice(0, end);
  if (!rawPath.startsWith('/') || /%00/.test(rawPath)) return undefined;
  const decoded = rawPath.replace(/(?:%[0-9a-f]{2})+/gi, decodeEscapes);
  return { path: removeDotSegments(decoded), query: end < 0 ? '' : raw.slice(end) };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Decodes a run of escapes; `%2F` and bytes that are not UTF-8 stay as they were sent. */
function decodeEscapes(escapes: string): string {
  const bytes = Buffer.from(escapes.replaceAll('%', ''), 'hex');
  let decoded = '';
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] ?? 0;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const character = lead === 0x2f ? undefined : decodeCharacter(bytes.subarray(at, at + length));
    decoded += character ?? escapes.slice(at * 3, at * 3 + 3);
    at += character === undefined ? 1 : length;
  }
  return decoded;
}

function decodeCharacter(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** RFC 3986 §5.2.4, after decoding: `%2e%2e` climbs as `..` does. */
function removeDotSegments(path: string): string {
  if (!path.includes('/.')) return path;
  const kept: string[] = [];
  const segments = path.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    const isDots = segment === '.' || segment === '..';
    if (segment === '..') kept.pop();
    if (!isDots) {
      kept.push(segment);
    } else if (index === segments.length - 1) {
      kept.push('');
    }
  }
  return `/${kept.join('/')}`;
}

/** The path of `request.url` in buffered mode: an escape stays as it is (ASP.NET Core: PathString). */
export function encodePath(path: string): string {
  return path.replace(/%(?![0-9a-f]{2})|[^\w\-.~!$&'()*+,;=:@/%]/giu, encodeURIComponent);
}

/** The path the forwarder sends on in streaming mode: every percent sign is escaped (YARP: RequestUtilities). */
export function encodePathFully(path: string): string {
  return path.replace(/[^\w\-.~!$&'()*+,;=:@/]/gu, encodeURIComponent);
}
