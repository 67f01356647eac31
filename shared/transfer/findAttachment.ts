import type { UploadRecord } from '../upload/uploadRecord.ts';
import type { GraphAttachment, GraphItem } from './graphItem.ts';

/** Clocks of Graph and of this instance differ. */
const CLOCK_SKEW_MS = 120_000;

/**
 * The attachment that a file became, where the answer that said so was lost: of the same name, at least as long (Exchange
 * reports more than the file's length, graph-measured), and not there before the upload began. The newest counts.
 */
export async function findAttachment(
  item: Pick<GraphItem, 'listAttachments'>,
  { attachment, createdAt }: Pick<UploadRecord, 'attachment' | 'createdAt'>,
): Promise<GraphAttachment | undefined> {
  const since = Date.parse(createdAt) - CLOCK_SKEW_MS;
  const found = (await item.listAttachments()).filter(
    ({ name, size, lastModifiedDateTime }) =>
      name === attachment.name &&
      typeof size === 'number' &&
      size >= attachment.sizeBytes &&
      !(modifiedAt(lastModifiedDateTime) < since),
  );
  return found.toSorted((a, b) => modifiedAt(a['lastModifiedDateTime']) - modifiedAt(b['lastModifiedDateTime'])).at(-1);
}

/** Not a number where Graph says none: then nothing speaks against the attachment. */
function modifiedAt(dateTime: unknown): number {
  return typeof dateTime === 'string' ? Date.parse(dateTime) : Number.NaN;
}

/**
 * The id in the Location of a finished upload: the last parenthesised key (Outlook, learn.microsoft.com/graph/outlook-large-attachments)
 * or the last segment (To Do). Undefined where there is none.
 */
export function attachmentIdIn(location: string): string | undefined {
  const path = location.split(/[?#]/, 1)[0] ?? '';
  const encoded = /\('([^']*)'\)\/?$/.exec(path)?.[1] ?? /\/([^/()]+)\/?$/.exec(path)?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
