import { RequestRecord } from '../../../shared/log/requestRecord.ts';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

describe('RequestRecord', () => {
  it('books the time since the last stage, and adds up a stage that comes again', () => {
    const record = new RequestRecord('createUploadSession');

    jest.advanceTimersByTime(5);
    record.endStage('authenticate');
    jest.advanceTimersByTime(20);
    record.endStage('graph');
    jest.advanceTimersByTime(300);
    record.endStage('wait');
    jest.advanceTimersByTime(30);
    record.endStage('graph');
    jest.advanceTimersByTime(1);

    expect(record.stagesMs).toEqual({ authenticate: 5, graph: 50, wait: 300 });
    expect(record.elapsedMs).toBe(356);
  });

  it("keeps every status, and Graph's last id", () => {
    const record = new RequestRecord('createUploadSession');

    record.addAttempt(503, 'first');
    record.addAttempt(201, 'second');
    record.addAttempt(0, undefined);

    expect(record.upstreamStatuses).toEqual([503, 201, 0]);
    expect(record.upstreamRequestId).toBe('second');
  });
});
