import { LogEntry } from '../../../shared/logging/logEntry.ts';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

describe('LogEntry', () => {
  it('books the time since the last stage, and adds up a stage that comes again', () => {
    const logEntry = new LogEntry('createUploadSession');

    jest.advanceTimersByTime(5);
    logEntry.endStage('authenticate');
    jest.advanceTimersByTime(20);
    logEntry.endStage('graph');
    jest.advanceTimersByTime(300);
    logEntry.endStage('wait');
    jest.advanceTimersByTime(30);
    logEntry.endStage('graph');
    jest.advanceTimersByTime(1);

    expect(logEntry.stagesMs).toEqual({ authenticate: 5, graph: 50, wait: 300 });
    expect(logEntry.elapsedMs).toBe(356);
  });

  it("keeps every status, and Graph's last id", () => {
    const logEntry = new LogEntry('createUploadSession');

    logEntry.addAttempt(503, 'first');
    logEntry.addAttempt(201, 'second');
    logEntry.addAttempt(0, undefined);

    expect(logEntry.graphStatuses).toEqual([503, 201, 0]);
    expect(logEntry.graphRequestId).toBe('second');
  });
});
