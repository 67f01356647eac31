import type { UploadSession } from '../graph/uploadSession.ts';
import type { ItemTarget } from '../paths/target.ts';
import type { FileInfo } from '../sources/fileInfo.ts';

/** What is kept of the transfer of one file: enough for another instance to continue it. */
export interface TransferRecord {
  /** ISO 8601. What was attached to the item before is another file. */
  readonly createdAt: string;
  readonly target: ItemTarget;
  readonly attachment: FileInfo;
  /** Graph's own; undefined until it is opened. */
  readonly session: UploadSession | undefined;
  /** How many bytes Graph has, counted from the start of the file. */
  readonly offset: number;
  /** Graph may have the bytes up to one of these instead: chunks whose responses were lost ended there. Ascending, above `offset`. */
  readonly uncertainOffsets: readonly number[];
  readonly sessionsOpened: number;
}

/** A transfer that starts now: Graph has none of its bytes. */
export function startTransfer(
  target: ItemTarget,
  attachment: FileInfo,
  session: UploadSession | undefined,
  now: number,
): TransferRecord {
  return {
    createdAt: new Date(now).toISOString(),
    target,
    attachment,
    session,
    offset: 0,
    uncertainOffsets: [],
    sessionsOpened: session === undefined ? 0 : 1,
  };
}
