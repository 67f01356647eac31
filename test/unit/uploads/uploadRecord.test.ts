import { isJobRecord, type JobRecord } from '../../../shared/jobs/jobRecord.ts';
import {
  isExpired,
  isSessionOver,
  isUploadRecord,
  type UploadRecord,
  type UploadState,
} from '../../../shared/uploads/uploadRecord.ts';
import { jobRecordOf, uploadRecordOf } from '../../support/uploadRecords.ts';

/** What is stored and read again: members without a value are left out. */
function stored(record: UploadRecord | JobRecord): unknown {
  return JSON.parse(JSON.stringify(record));
}

const STATES: readonly UploadState[] = [
  { status: 'uploading' },
  { status: 'completed', attachmentId: 'AAMk', location: 'https://outlook.office.com/x' },
  { status: 'completed', attachmentId: undefined, location: 'https://outlook.office.com/x' },
  { status: 'failed', error: { status: 413, code: 'ErrorMessageSizeExceeded', message: 'Too large.' } },
  { status: 'cancelled' },
];

describe('isUploadRecord', () => {
  it.each(STATES)('reads a record of the state %j', (state) => {
    const record = uploadRecordOf({ state });

    expect(isUploadRecord(stored(record))).toBe(true);
  });

  it('reads a record with everything, and one with as little as there can be', () => {
    const full = uploadRecordOf({
      target: { kind: 'todoTask', version: 'beta', owner: { kind: 'group', id: 'g' }, itemPath: 'x' },
      attachment: { name: '', sizeBytes: 1, contentType: 'a/b', isInline: true, contentId: 'c' },
      wantsImmutableIds: true,
    });
    const bare = uploadRecordOf({ attachment: { name: 'a', sizeBytes: 1 }, session: undefined });

    expect(isUploadRecord(stored(full))).toBe(true);
    expect(isUploadRecord(stored(bare))).toBe(true);
  });

  it.each([
    undefined,
    null,
    'text',
    [],
    {},
    { ...uploadRecordOf(), createdAt: 'soon' },
    { ...uploadRecordOf(), createdAt: '' },
    { ...uploadRecordOf(), createdAt: 2026 },
    { ...uploadRecordOf(), createdAt: null },
    { ...uploadRecordOf(), createdAt: undefined },
    { ...uploadRecordOf(), createdAt: [new Date().toISOString()] },
    { ...uploadRecordOf(), target: { ...uploadRecordOf().target, kind: 'contact' } },
    { ...uploadRecordOf(), target: { ...uploadRecordOf().target, version: 'v2.0' } },
    { ...uploadRecordOf(), target: { ...uploadRecordOf().target, owner: { kind: 'me' } } },
    { ...uploadRecordOf(), caller: undefined },
    { ...uploadRecordOf(), attachment: { name: 'a' } },
    { ...uploadRecordOf(), attachment: { name: 'a', sizeBytes: -1 } },
    { ...uploadRecordOf(), attachment: { name: 'a', sizeBytes: 1, isInline: 'yes' } },
    { ...uploadRecordOf(), wantsImmutableIds: 1 },
    { ...uploadRecordOf(), session: { uploadUrl: 'https://outlook.office.com' } },
    { ...uploadRecordOf(), offset: 1.5 },
    { ...uploadRecordOf(), uncertainOffsets: 5 },
    { ...uploadRecordOf(), uncertainOffsets: [1, -1] },
    { ...uploadRecordOf(), sessionsOpened: '1' },
    { ...uploadRecordOf(), state: { status: 'paused' } },
    { ...uploadRecordOf(), state: { status: 'completed' } },
    { ...uploadRecordOf(), state: { status: 'failed', error: 'x' } },
  ])('refuses %j', (value) => {
    expect(isUploadRecord(value)).toBe(false);
  });
});

describe('isJobRecord', () => {
  const JOB = jobRecordOf({ lastReason: { code: 'ApplicationThrottled', message: 'Too many requests.' } });
  const [FILE] = JOB.files;

  it.each<[string, JobRecord]>([
    ['with everything', JOB],
    ['that has failed', jobRecordOf({ state: { status: 'failed', error: { status: 424, code: 'a', message: 'b' } } })],
    ['that is completed', jobRecordOf({ state: { status: 'completed' } }, { attached: { location: 'a' } })],
    ['of several files', { ...JOB, files: [...JOB.files, ...JOB.files] }],
    ['without a session', jobRecordOf({}, { session: undefined })],
  ])('accepts a job %s', (_, record) => {
    expect(isJobRecord(stored(record))).toBe(true);
  });

  it.each([
    { files: [] },
    { files: [{ ...FILE, sourceUrl: 1 }] },
    { files: [{ ...FILE, sourceRule: { ...FILE?.sourceRule, port: 443 } }] },
    { files: [{ ...FILE, etag: 1 }] },
    { files: [{ ...FILE, furthestOffset: undefined }] },
    { files: [{ ...FILE, attached: {} }] },
    { endsAt: 'soon' },
    { endsAt: 2026 },
    { endsAt: undefined },
    { notBefore: 'soon' },
    { movedAt: null },
    { wakeUps: 0.5 },
    { attempts: -1 },
    { lastReason: { code: 'A' } },
    { state: { status: 'uploading' } },
  ])('rejects a job with %j', (changes) => {
    expect(isJobRecord({ ...JOB, ...changes })).toBe(false);
  });

  it('rejects an upload', () => {
    expect(isJobRecord(stored(uploadRecordOf()))).toBe(false);
  });
});

describe('the end of a record', () => {
  const created = Date.parse('2026-11-23T10:00:00Z');
  const session = { uploadUrl: 'https://outlook.office.com', expirationDateTime: '2026-11-23T12:00:00.1234567Z' };
  const record = uploadRecordOf({ createdAt: new Date(created).toISOString(), session });
  const HOUR = 3_600_000;

  it.each([
    ['is the end of its session', record, 2 * HOUR, false],
    ['is the end of its session', record, 2 * HOUR + 124, true],
    ['does not depend on the session once it is completed', { ...record, state: STATES[1] }, 23 * HOUR, false],
    ['does not come before a session is open', { ...record, session: undefined }, 24 * HOUR - 1, false],
    [
      'does not depend on a session whose end is no date',
      { ...record, session: { ...session, expirationDateTime: 'soon' } },
      23 * HOUR,
      false,
    ],
  ] as const)('%s', (_, it, after, isOver) => {
    expect(isSessionOver(uploadRecordOf(it as Partial<UploadRecord>), created + after)).toBe(isOver);
  });

  it('comes after a day in any case', () => {
    expect([isExpired(record, created + 24 * HOUR - 1), isExpired(record, created + 24 * HOUR)]).toEqual([false, true]);
  });
});
