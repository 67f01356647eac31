import type { UploadFailure } from '../graph/graphResponse.ts';
import * as validators from '../json/validators.generated.cjs';
import type { SourceRule } from '../sources/sourceRules.ts';
import type { UploadContainer } from '../storage/blobContainer.ts';
import { createRecordStore, type RecordStore, type StoredRecord } from '../storage/recordStore.ts';
import type { TransferRecord } from '../transfer/transferRecord.ts';
import { isExpired } from '../uploads/uploadRecord.ts';

/**
 * What a job needs to run without its caller. Times are ISO 8601. Its files are attached one after another; a final step, such as
 * sending a mail, would follow the last one and have its own member.
 */
export interface JobRecord {
  readonly createdAt: string;
  /** The policy's name of the caller. */
  readonly caller: string;
  /** The caller's, for the calls to Graph. */
  readonly clientRequestId: string;
  readonly wantsImmutableIds: boolean;
  /** At least one. */
  readonly files: readonly JobFile[];
  /** After this the job has failed, unless it has finished. */
  readonly endsAt: string;
  /** No run starts before: Graph or the source asked to wait, or an attempt has failed. */
  readonly notBefore: string;
  /** When a run last began, Graph last took bytes, or a poller last sent a new message. */
  readonly movedAt: string;
  /** Runs begun since Graph last took bytes. */
  readonly attempts: number;
  /** New messages that pollers have sent since the last run. */
  readonly wakeUps: number;
  readonly lastReason?: JobReason;
  readonly state:
    | { readonly status: 'running' | 'completed' | 'cancelled' }
    | { readonly status: 'failed'; readonly error: UploadFailure };
}

/** One file of a job, which a run reads from its URL. */
export interface JobFile extends TransferRecord {
  readonly sourceUrl: string;
  /** The policy's rule that allowed the URL when the job was created. */
  readonly sourceRule: SourceRule;
  /** The file's strong entity tag; absent: the source can be read from its start only. */
  readonly etag?: string;
  /** The most bytes that Graph has had, in any session: the progress that pollers see never decreases. */
  readonly furthestOffset: number;
  /** Set once the file is attached. */
  readonly attached?: { readonly attachmentId?: string; readonly location: string };
}

/** Why the last run ended early, in words that a caller may read. */
export interface JobReason {
  readonly code: string;
  readonly message: string;
}

export type StoredJob = StoredRecord<JobRecord>;
export type JobStore = RecordStore<JobRecord>;

/** @param now gives epoch milliseconds */
export function createJobStore(container: UploadContainer, now?: () => number): JobStore {
  return createRecordStore(container, { purpose: 'jobRecord', isRecord: isJobRecord, isExpired }, now);
}

/** json/schemas/jobRecord.schema.json says the same as the type; a test compares them. */
export function isJobRecord(value: unknown): value is JobRecord {
  return validators.jobRecord(value);
}

/** The file that a run works on: the first that is not attached, else the last. */
export function currentFile({ files }: JobRecord): JobFile {
  const file = files.find(({ attached }) => attached === undefined) ?? files.at(-1);
  if (file === undefined) throw new TypeError('A job has at least one file.');
  return file;
}
