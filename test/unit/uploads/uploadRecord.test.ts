import {
  isPastEnd,
  type JobPart,
  parseUploadRecord,
  type UploadRecord,
  type UploadState,
} from '../../../shared/uploads/uploadRecord.ts';
import { jobPartOf, uploadRecordOf } from '../../support/uploadRecords.ts';

/** What is stored and read again: members without a value are left out. */
function stored(record: UploadRecord): unknown {
  return JSON.parse(JSON.stringify(record));
}

const STATES: readonly UploadState[] = [
  { status: 'uploading' },
  { status: 'completed', attachmentId: 'AAMk', location: 'https://outlook.office.com/x' },
  { status: 'completed', attachmentId: undefined, location: 'https://outlook.office.com/x' },
  { status: 'failed', error: { status: 413, code: 'ErrorMessageSizeExceeded', message: 'Too large.' } },
  { status: 'cancelled' },
];

const JOB: JobPart = jobPartOf({ lastReason: { code: 'ApplicationThrottled', message: 'Too many requests.' } });

describe('parseUploadRecord', () => {
  it.each(STATES)('reads a record of the state %j', (state) => {
    const record = uploadRecordOf({ state });

    expect(parseUploadRecord(stored(record))).toEqual(record);
  });

  it('reads a record with everything, and one with as little as there can be', () => {
    const full = uploadRecordOf({
      target: { kind: 'todoTask', version: 'beta', owner: { kind: 'group', id: 'g' }, itemPath: 'x' },
      attachment: { name: '', sizeBytes: 1, contentType: 'a/b', isInline: true, contentId: 'c' },
      wantsImmutableIds: true,
    });
    const bare = uploadRecordOf({ attachment: { name: 'a', sizeBytes: 1 }, session: undefined });

    expect(parseUploadRecord(stored(full))).toEqual(full);
    expect(parseUploadRecord(stored(bare))).toEqual(bare);
  });

  it('reads a job', () => {
    const job = uploadRecordOf({ job: JOB });
    const bare = uploadRecordOf({ job: { ...JOB, etag: undefined, lastReason: undefined } as unknown as JobPart });

    expect(parseUploadRecord(stored(job))).toEqual(job);
    expect(parseUploadRecord(stored(bare))).toEqual(bare);
  });

  it.each([
    { sourceUrl: 1 },
    { sourceRule: { ...JOB.sourceRule, port: 443 } },
    { endsAt: 'soon' },
    { endsAt: 2026 },
    { endsAt: undefined },
    { notBefore: 'soon' },
    { notBefore: 2026 },
    { movedAt: 2026 },
    { movedAt: null },
    { etag: 1 },
    { wakeUps: 0.5 },
    { attempts: -1 },
    { furthestOffset: undefined },
    { lastReason: { code: 'A' } },
  ])('takes no job with %j', (fault) => {
    expect(parseUploadRecord({ ...uploadRecordOf(), job: { ...JOB, ...fault } })).toBeUndefined();
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
    expect(parseUploadRecord(value)).toBeUndefined();
  });
});

describe('isPastEnd', () => {
  const created = Date.parse('2026-11-23T10:00:00Z');
  const session = { uploadUrl: 'https://outlook.office.com', expirationDateTime: '2026-11-23T12:00:00.1234567Z' };
  const record = uploadRecordOf({ createdAt: new Date(created).toISOString(), session });
  const HOUR = 3_600_000;

  it.each([
    ['is not over before the session ends', record, 2 * HOUR, false],
    ['is over when the session ends', record, 2 * HOUR + 124, true],
    ['outlives the session once it is completed', { ...record, state: STATES[1] }, 23 * HOUR, false],
    ['is over after a day', { ...record, state: STATES[1] }, 24 * HOUR, true],
    ['lasts a day where no session is open', { ...record, session: undefined }, 24 * HOUR - 1, false],
    [
      'lasts a day at most, whatever Graph says',
      { ...record, session: { ...session, expirationDateTime: '2099-01-01T00:00:00Z' } },
      24 * HOUR,
      true,
    ],
    [
      'does not count an end that is no date',
      { ...record, session: { ...session, expirationDateTime: 'soon' } },
      23 * HOUR,
      false,
    ],
  ] as const)('%s', (_, it, after, isOver) => {
    expect(isPastEnd(uploadRecordOf(it as Partial<UploadRecord>), created + after)).toBe(isOver);
  });
});
