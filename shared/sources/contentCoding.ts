/** What says which file is behind an address: any of its names, any of its media types. */
export interface FileSigns {
  readonly names: readonly string[];
  readonly types: readonly (string | undefined)[];
}

/** The codings of HTTP but identity: iana.org/assignments/http-parameters, HTTP Content Coding Registry. */
const CODINGS = [
  'aes128gcm',
  'br',
  'compress',
  'dcb',
  'dcz',
  'deflate',
  'exi',
  'gzip',
  'pack200-gzip',
  'x-compress',
  'x-gzip',
  'zstd',
];

/** Files whose own format is the coding: who stores them so means the stored bytes. */
const ARCHIVES: readonly { readonly codings: readonly string[]; readonly name: RegExp; readonly type: RegExp }[] = [
  {
    codings: ['gzip', 'x-gzip'],
    name: /\.(?:gz|gzip|tgz|svgz)$/i,
    type: /^application\/(?:x-)?(?:gzip|tgz|compressed|compressed-tar|gtar-compressed)$/i,
  },
  { codings: ['compress', 'x-compress'], name: /\.(?:z|taz)$/i, type: /^application\/x-compress$/i },
  { codings: ['zstd'], name: /\.(?:zst|zstd|tzst)$/i, type: /^application\/zstd$/i },
  { codings: ['br'], name: /\.(?:br|tbr)$/i, type: /^application\/x-brotli$/i },
];

/**
 * The coding that keeps a source's bytes from being the file; undefined where they are the file: there is no coding, the value is
 * none of HTTP's (clients of Azure Storage and S3 store `utf-8`, `aws-chunked` and empty ones), or the file is an archive of just
 * that coding, such as backup.tar.gz with `gzip`. Any other file would be attached compressed, under the name of the plain one.
 */
export function foreignCoding(contentEncoding: string | undefined, { names, types }: FileSigns): string | undefined {
  const codings = (contentEncoding ?? '').split(',').map((coding) => coding.trim().toLowerCase());
  return codings.find((coding) => {
    if (!CODINGS.includes(coding)) return false;
    const archive = ARCHIVES.find((candidate) => candidate.codings.includes(coding));
    if (archive === undefined) return true;
    const isNamed = names.some((name) => archive.name.test(name));
    return !isNamed && !types.some((type) => archive.type.test(type?.split(';', 1)[0]?.trim() ?? ''));
  });
}
