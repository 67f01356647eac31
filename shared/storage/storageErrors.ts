import { isObject } from '../common/isObject.ts';
import { ServiceError } from '../errors.ts';

/**
 * What an operation of the blob store found in its way. Everything else that can go wrong is thrown.
 * learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
 */
export type StorageProblem = 'noBlob' | 'noContainer' | 'conflict';

/** Undefined where the store is broken, full, out of reach or refuses the app itself. */
export function storageProblemOf(error: unknown): StorageProblem | undefined {
  const { status, code } = answerOf(error);
  if (status === 404 && code === 'BlobNotFound') return 'noBlob';
  if (status === 404 && code === 'ContainerNotFound') return 'noContainer';
  const isConflict = (status === 409 || status === 412) && CONFLICT.test(code ?? '');
  return isConflict ? 'conflict' : undefined;
}

/** Not all of 409: a container that is being deleted is no conflict of two writers. */
const CONFLICT = /^(BlobAlreadyExists|ConditionNotMet|Lease\w+)$/;

export function isContainerThere(error: unknown): boolean {
  return answerOf(error).code === 'ContainerAlreadyExists';
}

export function isQueueMissing(error: unknown): boolean {
  return answerOf(error).code === 'QueueNotFound';
}

export function storageNotConfigured(): ServiceError {
  return new ServiceError(
    'StorageNotConfigured',
    'The proxy has no storage account to keep this in: the setting AzureWebJobsStorage names none.',
  );
}

export function storageUnavailable(error: unknown): ServiceError {
  const { status, code } = answerOf(error);
  // The store's own message repeats headers and names of the request.
  const cause = status === undefined ? error : new Error(`The store answered ${status} ${code ?? ''}`.trim());
  return new ServiceError('StorageUnavailable', 'The store of uploads could not be reached or did not do its work.', {
    cause,
  });
}

/** The client's error has `statusCode`, and the store's own code in `code` or, with a body, in `details.errorCode`. */
function answerOf(error: unknown): { readonly status: number | undefined; readonly code: string | undefined } {
  if (!(error instanceof Error)) return { status: undefined, code: undefined };
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined;
  const details = 'details' in error && isObject(error.details) ? error.details : {};
  const code = 'code' in error && typeof error.code === 'string' ? error.code : details['errorCode'];
  return { status, code: typeof code === 'string' ? code : undefined };
}
