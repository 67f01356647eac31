import type { AttachmentsApi, GraphAttachment } from '../graph/attachmentsApi.ts';
import type { TransferRecord } from './transferRecord.ts';

/** Clocks of Graph and of this instance differ. */
const CLOCK_SKEW_MS = 120_000;

/** A file that may be attached. */
export interface SearchedFile extends Pick<TransferRecord, 'attachment' | 'createdAt'> {
  /**
   * Epoch milliseconds: Graph was sent the whole file then, and refused it. What was attached before is another file. Clocks count
   * as equal, since a refusal is nearly always true.
   */
  readonly refusedSince?: number | undefined;
}

/**
 * The attachment that a file became, where the answer that said so was lost: of the same name, at least as long (Exchange
 * reports more than the file's length, graph-measured), and not there before the upload began. The newest counts.
 *
 * @param bytes of a small file: one of the same name with other bytes is passed over, as where a loop attaches several
 */
export async function findAttachment(
  item: Pick<AttachmentsApi, 'listAttachments' | 'readContent'>,
  { attachment, createdAt, refusedSince }: SearchedFile,
  bytes?: Buffer,
): Promise<GraphAttachment | undefined> {
  const since = refusedSince ?? Date.parse(createdAt) - CLOCK_SKEW_MS;
  const found = (await item.listAttachments())
    .filter(
      ({ name, size, lastModifiedDateTime }) =>
        name === attachment.name &&
        typeof size === 'number' &&
        size >= attachment.sizeBytes &&
        !(latestMoment(lastModifiedDateTime) < since),
    )
    .toSorted((a, b) => modifiedAt(a['lastModifiedDateTime']) - modifiedAt(b['lastModifiedDateTime']))
    .toReversed();
  if (bytes === undefined) return found[0];
  for (const one of found) {
    const content = await item.readContent(one.id);
    if (content === undefined || content.equals(bytes)) return one;
  }
  return undefined;
}

/** Graph writes whole seconds: the end of that second. */
function latestMoment(dateTime: unknown): number {
  const isWhole = typeof dateTime === 'string' && !dateTime.includes('.');
  return modifiedAt(dateTime) + (isWhole ? 999 : 0);
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
