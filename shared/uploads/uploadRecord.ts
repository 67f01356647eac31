import { MAX_RECORD_LIFE_MS } from '../common/limits.ts';
import type { UploadFailure } from '../graph/graphResponse.ts';
import * as validators from '../json/validators.generated.cjs';
import type { UploadContainer } from '../storage/blobContainer.ts';
import { createRecordStore, type RecordStore, type StoredRecord } from '../storage/recordStore.ts';
import type { TransferRecord } from '../transfer/transferRecord.ts';

/** All that is kept of an upload through the proxy. */
export interface UploadRecord extends TransferRecord {
  /** The policy's name of the caller. */
  readonly caller: string;
  /** The user as whom Graph is called, and the application that sent the user's token; absent: the upload acts as the app. */
  readonly actsFor?: { readonly userId: string; readonly appId: string };
  readonly wantsImmutableIds: boolean;
  readonly state: UploadState;
}

export type UploadState =
  | { readonly status: 'uploading' }
  | { readonly status: 'completed'; readonly attachmentId: string | undefined; readonly location: string }
  | { readonly status: 'failed'; readonly error: UploadFailure }
  | { readonly status: 'cancelled' };

export type StoredUpload = StoredRecord<UploadRecord>;
export type UploadStore = RecordStore<UploadRecord>;

/** @param now gives epoch milliseconds */
export function createUploadStore(container: UploadContainer, now?: () => number): UploadStore {
  return createRecordStore(container, { purpose: 'upload', isRecord: isUploadRecord, isExpired }, now);
}

/** json/schemas/uploadRecord.schema.json says the same as the type; a test compares them. */
export function isUploadRecord(value: unknown): value is UploadRecord {
  return validators.uploadRecord(value);
}

/** Records live for a day. */
export function isExpired({ createdAt }: Pick<TransferRecord, 'createdAt'>, now: number): boolean {
  return now >= Date.parse(createdAt) + MAX_RECORD_LIFE_MS;
}

/** Whether Graph's session has ended before the file was complete. An end that Graph wrote in an unknown form does not count. */
export function isSessionOver({ session, state }: UploadRecord, now: number): boolean {
  return state.status === 'uploading' && session !== undefined && now >= Date.parse(session.expirationDateTime);
}
