/** A run of bytes of a file of `total` bytes; `first` and `last` are both in it. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
  readonly total: number;
}

export type ParsedContentRange =
  | { readonly kind: 'range'; readonly range: ByteRange }
  | { readonly kind: 'faulty'; readonly fault: string };

const CONTENT_RANGE = /^bytes(?:[ \t]*=[ \t]*|[ \t]+)(\d+)[ \t]*-[ \t]*(\d+)[ \t]*\/[ \t]*(\d+)$/i;

/** In characters; three numbers of 15 digits take 53. */
const MAX_CONTENT_RANGE_LENGTH = 100;

/**
 * Reads a Content-Range header: `bytes 0-9/10` (RFC 9110, section 14.4), and `bytes=0-9/10`, which Microsoft's page on
 * chunked messages of Logic Apps shows. A file without bytes has no ranges.
 */
export function parseContentRange(header: string | undefined): ParsedContentRange {
  if (header === undefined) return { kind: 'faulty', fault: 'Content-Range is missing' };
  if (header.length > MAX_CONTENT_RANGE_LENGTH) {
    return { kind: 'faulty', fault: `Content-Range is longer than ${MAX_CONTENT_RANGE_LENGTH} characters` };
  }
  const numbers = CONTENT_RANGE.exec(header.trim())?.slice(1).map(Number).filter(Number.isSafeInteger) ?? [];
  const [first, last, total] = numbers;
  if (first === undefined || last === undefined || total === undefined) {
    return { kind: 'faulty', fault: 'Content-Range must have the form bytes first-last/total' };
  }
  if (first > last) return { kind: 'faulty', fault: 'Content-Range begins after its end' };
  if (last >= total) return { kind: 'faulty', fault: 'Content-Range ends after the last byte of the file' };
  return { kind: 'range', range: { first, last, total } };
}

export function formatContentRange({ first, last, total }: ByteRange): string {
  return `bytes ${first}-${last}/${total}`;
}

export function lengthOf({ first, last }: ByteRange): number {
  return last - first + 1;
}

/** Where a range lies, seen from the bytes that are held already. */
export type Position =
  /** It begins above them: bytes are missing in between. */
  | { readonly kind: 'ahead' }
  /** All of it is held. */
  | { readonly kind: 'held' }
  /** It goes on from them, after this many of its bytes that are held. */
  | { readonly kind: 'next'; readonly skipBytes: number };

/** @param offset how many bytes from the beginning of the file are held */
export function locate({ first, last }: ByteRange, offset: number): Position {
  if (first > offset) return { kind: 'ahead' };
  return last < offset ? { kind: 'held' } : { kind: 'next', skipBytes: offset - first };
}

/** The member of an uploadSession, in closed form: the only one that all stock clients read. */
export function nextExpectedRanges(offset: number, sizeBytes: number): readonly string[] {
  return offset < sizeBytes ? [`${offset}-${sizeBytes - 1}`] : [];
}

/** The Range header of an answer to Logic Apps: all that is held. Undefined where nothing is, which it cannot say. */
export function formatHeldRange(offset: number): string | undefined {
  return offset > 0 ? `bytes=0-${offset - 1}` : undefined;
}
