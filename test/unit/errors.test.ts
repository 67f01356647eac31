import { MAX_REQUEST_BODY_BYTES } from '../../shared/common/limits.ts';
import { DETAIL_CODES, ERRORS, type ErrorCode, ServiceError } from '../../shared/errors.ts';

const codes = Object.keys(ERRORS) as ErrorCode[];

/** The contract with callers: a change here is a change of the API. */
const STATUS_OF = {
  PathNotSupported: 404,
  MethodNotAllowed: 405,
  LengthRequired: 411,
  ChunkingNotSupported: 400,
  IdempotencyKeyReused: 422,
  InvalidRange: 400,
  RangeNotExpected: 416,
  UploadNotFound: 404,
  UploadCancelled: 410,
  UploadCompleted: 409,
  UploadBusy: 409,
  UploadHostNotAllowed: 502,
  InvalidId: 400,
  MailboxNotNamed: 400,
  UnsupportedMediaType: 415,
  RequestBodyTooLarge: 413,
  RequestBodyTimeout: 408,
  InvalidJson: 400,
  InvalidRequest: 400,
  InvalidAttachment: 400,
  InvalidMessage: 400,
  SizeMismatch: 400,
  SourceNotAllowed: 403,
  SourceRefused: 424,
  SourceUnusable: 424,
  SourceChanged: 424,
  SourceUnavailable: 502,
  CallerDisconnected: 499,
  InvalidAuthenticationToken: 401,
  CallerNotAllowed: 403,
  InteractionRequired: 401,
  ConsentRequired: 403,
  UserNotAllowed: 403,
  SigningKeysUnavailable: 503,
  ServiceMisconfigured: 503,
  PlatformNotSupported: 503,
  RequestNotDelivered: 503,
  StorageNotConfigured: 501,
  StorageUnavailable: 503,
  JobsNotConfigured: 501,
  JobsNeedAppToken: 403,
  JobFailed: 424,
  MessageNotYours: 403,
  MessageNotDraft: 409,
  SendOutcomeUnknown: 409,
  InstanceBusy: 503,
  MailboxBusy: 429,
  InternalError: 500,
  TokenUnavailable: 503,
  GraphRejectedToken: 502,
  GraphUnreachable: 502,
  GraphAnswerInvalid: 502,
  GraphRefused: 'upstream',
  GraphThrottled: 429,
  GraphUnavailable: 503,
  TimedOut: 504,
};

describe('ERRORS', () => {
  it('maps each code to its status', () => {
    expect(Object.fromEntries(codes.map((code) => [code, ERRORS[code].status]))).toEqual(STATUS_OF);
  });

  it.each(codes)('says what %s means and what the caller can do', (code) => {
    expect(ERRORS[code].means).toMatch(/^[A-Z`].{10,}\.$/);
    expect(ERRORS[code].callerCan).toMatch(/^[A-Z`].{5,}\.$/);
  });

  it('names the real limit of a body', () => {
    expect(ERRORS.RequestBodyTooLarge.means).toContain(`${MAX_REQUEST_BODY_BYTES.toLocaleString('en-US')} bytes`);
  });
});

describe('DETAIL_CODES', () => {
  it.each(Object.entries(DETAIL_CODES))('says what %s means', (_, means) => {
    expect(means).toMatch(/^[A-Z].{10,}\.$/);
  });
});

describe('ServiceError', () => {
  it('takes its status from the table', () => {
    for (const code of codes.filter((candidate) => candidate !== 'GraphRefused')) {
      expect(new ServiceError(code, 'm', { upstreamStatus: 418 }).status).toBe(STATUS_OF[code]);
    }
  });

  it("keeps Graph's own status for the code that says so", () => {
    expect(new ServiceError('GraphRefused', 'm', { upstreamStatus: 418 }).status).toBe(418);
    expect(new ServiceError('GraphRefused', 'm').status).toBe(502);
  });

  it('carries what belongs to the answer, and the cause for the log', () => {
    const cause = new Error('why');
    const details = [{ code: 'Required', message: 'm', target: '/a' }] as const;

    const error = new ServiceError('InvalidAttachment', 'm', {
      target: '/a',
      details,
      headers: { allow: 'POST' },
      cause,
    });

    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: 'ServiceError',
      code: 'InvalidAttachment',
      message: 'm',
      target: '/a',
      details,
      headers: { allow: 'POST' },
      cause,
    });
  });
});
