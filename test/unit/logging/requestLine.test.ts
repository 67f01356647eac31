import { ServiceError } from '../../../shared/errors.ts';
import { LogEntry } from '../../../shared/logging/logEntry.ts';
import { hashMailbox } from '../../../shared/logging/mask.ts';
import { type Outcome, requestLine } from '../../../shared/logging/requestLine.ts';
import { CLIENT_REQUEST_ID, INFO, REQUEST_ID } from '../../support/builders.ts';

const CREATED: Outcome = { status: 201, code: 'Created' };

function lineOf(
  members: Partial<LogEntry> = {},
  outcome = CREATED,
  logMailbox: 'hashed' | 'plain' = 'hashed',
): Record<string, unknown> {
  const line: Record<string, unknown> = JSON.parse(
    requestLine(Object.assign(new LogEntry('createUploadSession'), members), INFO, outcome, logMailbox),
  );
  return line;
}

describe('requestLine', () => {
  it('says what is known of a request that came through', () => {
    const logEntry = new LogEntry('createUploadSession');
    logEntry.addAttempt(503, 'a');
    logEntry.addAttempt(201, 'b');
    Object.assign(logEntry, {
      caller: 'newsletter',
      policyPath: '/callers/0/me',
      kind: 'message',
      mailbox: 'me',
      sizeBytes: 5,
    });

    const line: unknown = JSON.parse(
      requestLine(logEntry, { ...INFO, traceParent: 't', workflowRunId: 'w' }, CREATED, 'plain'),
    );

    expect(line).toEqual({
      event: 'request',
      operation: 'createUploadSession',
      code: 'Created',
      status: 201,
      caller: 'newsletter',
      policyPath: '/callers/0/me',
      kind: 'message',
      mailbox: 'me',
      sizeBytes: 5,
      attempts: 2,
      graphStatuses: [503, 201],
      ms: { total: expect.any(Number) },
      requestId: REQUEST_ID,
      clientRequestId: CLIENT_REQUEST_ID,
      graphRequestId: 'b',
      traceparent: 't',
      workflowRunId: 'w',
    });
  });

  it('is one line, whatever it holds', () => {
    const text = requestLine(
      Object.assign(new LogEntry('createUploadSession'), { caller: 'a\nb\r\u2028c' }),
      INFO,
      CREATED,
      'plain',
    );

    expect(text.split(/[\r\n]/)).toHaveLength(1);
  });

  it('shows a mailbox hashed, or plain where the setting says so', () => {
    const mailbox = 'adele@contoso.example';

    expect(lineOf({ mailbox })['mailbox']).toBe(hashMailbox(mailbox));
    expect(lineOf({ mailbox }, CREATED, 'plain')['mailbox']).toBe(mailbox);
    expect(lineOf()).not.toHaveProperty('mailbox');
  });

  it('says milliseconds with one digit after the point', () => {
    expect(lineOf({ stagesMs: { token: 1.26, graph: 30.04 } })['ms']).toMatchObject({ token: 1.3, graph: 30 });
  });

  it('says the cause of an error that was foreseen, without a place', () => {
    const error = new ServiceError('GraphUnreachable', 'Public.', { cause: new Error('ECONNRESET') });

    const line = lineOf({}, { status: 502, code: 'GraphUnreachable', error });

    expect(line).toMatchObject({ code: 'GraphUnreachable', cause: 'Error: ECONNRESET' });
    expect(line).not.toHaveProperty('at');
  });

  it('says no cause where there is none', () => {
    const line = lineOf(
      {},
      { status: 404, code: 'PathNotSupported', error: new ServiceError('PathNotSupported', 'm') },
    );

    expect(line).not.toHaveProperty('cause');
  });

  it('says an error that was not foreseen whole, with its place', () => {
    expect(lineOf({}, { status: 500, code: 'InternalError', error: new TypeError('x is undefined') })).toMatchObject({
      cause: 'TypeError: x is undefined',
      at: expect.stringMatching(/^requestLine\.test\.ts:\d+$/),
    });
  });

  it('masks what looks like a secret in a cause', () => {
    const secret = Buffer.from('some long secret of a service, made up here').toString('base64url');

    for (const error of [new Error(secret), new ServiceError('TokenUnavailable', 'm', { cause: new Error(secret) })]) {
      expect(JSON.stringify(lineOf({}, { status: 503, code: 'TokenUnavailable', error }))).not.toContain(
        secret.slice(0, 16),
      );
    }
  });
});
