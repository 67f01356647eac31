import { describeUploadOperations, UPLOAD_RESPONSES } from '../../../scripts/describe/uploadOperations.ts';
import { ERRORS, type ErrorCode } from '../../../shared/errors.ts';

const { put, patch, get, delete: remove } = describeUploadOperations();

const OF_ALL: readonly ErrorCode[] = [
  'UploadNotFound',
  'MethodNotAllowed',
  'StorageNotConfigured',
  'StorageUnavailable',
  'TimedOut',
  'GraphUnreachable',
];
const OF_RANGES: readonly ErrorCode[] = [
  ...OF_ALL,
  'InvalidRange',
  'SizeMismatch',
  'RangeNotExpected',
  'RequestBodyTimeout',
  'UploadCancelled',
  'UploadBusy',
  'MailboxBusy',
];

describe('describeUploadOperations', () => {
  it.each([
    { operation: put, codes: OF_RANGES },
    { operation: patch, codes: OF_RANGES },
    { operation: get, codes: OF_ALL },
    { operation: remove, codes: [...OF_ALL, 'UploadCompleted', 'UploadBusy'] as const },
  ])('has an answer for every code of $operation.operationId', ({ operation, codes }) => {
    const statuses = Object.keys(operation?.responses ?? {});

    expect(codes.filter((code) => !statuses.includes(String(ERRORS[code].status)))).toEqual([]);
    expect(statuses).toContain('4XX'); // What Graph refuses is relayed.
  });

  it('promises no body where stock clients take none', () => {
    expect(UPLOAD_RESPONSES.UploadAttached).not.toHaveProperty('content');
    expect(UPLOAD_RESPONSES.UploadAttached.headers).toHaveProperty('Location');
  });
});
