import { ServiceError } from '../../../shared/errors.ts';
import { GraphError } from '../../../shared/graph/graphError.ts';
import { jobFailed, jobFailureOf } from '../../../shared/jobs/jobErrors.ts';
import { upstreamAnswer } from '../../support/builders.ts';

function graph(status: number, headers: Record<string, string> = {}): GraphError {
  const body = JSON.stringify({ error: { code: 'ErrorCode', message: 'What Graph says.' } });
  return new GraphError(upstreamAnswer(status, body, headers));
}

describe('jobFailureOf', () => {
  it.each([400, 403, 404, 413, 422])('ends a job with what Graph refuses: %d', (status) => {
    expect(jobFailureOf(graph(status), undefined)).toEqual({
      kind: 'final',
      error: { status, code: 'ErrorCode', message: 'What Graph says.' },
    });
  });

  it.each([200, 401, 408, 412, 423, 429, 500, 502, 503, 504])(
    'lets pass what Graph answers for a while: %d',
    (status) => {
      expect(jobFailureOf(graph(status), undefined)).toEqual({
        kind: 'passing',
        reason: { code: 'ErrorCode', message: 'What Graph says.' },
        askedMs: undefined,
      });
    },
  );

  it('takes the wait that Graph, the mailbox’s queue or the source has asked for', () => {
    const busy = new ServiceError('MailboxBusy', 'Busy.', { headers: { 'retry-after': '5' } });
    const source = new ServiceError('SourceUnavailable', 'Down.');

    expect(jobFailureOf(graph(429, { 'retry-after': '30' }), undefined)).toMatchObject({ askedMs: 30_000 });
    expect(jobFailureOf(busy, undefined)).toMatchObject({ askedMs: 5_000 });
    expect(jobFailureOf(source, 90_000)).toMatchObject({ askedMs: 90_000 });
  });

  it.each(['SourceRefused', 'SourceChanged', 'SourceNotAllowed', 'InvalidAttachment', 'JobFailed'] as const)(
    'ends a job with %s',
    (code) => {
      const error = new ServiceError(code, 'Why.');

      expect(jobFailureOf(error, undefined)).toEqual({
        kind: 'final',
        error: { status: error.status, code, message: 'Why.' },
      });
    },
  );

  it.each([
    'SourceUnusable',
    'SourceUnavailable',
    'GraphUnreachable',
    'TokenUnavailable',
    'RequestBodyTimeout',
  ] as const)('lets %s pass', (code) => {
    expect(jobFailureOf(new ServiceError(code, 'Why.'), undefined)).toMatchObject({
      kind: 'passing',
      reason: { code, message: 'Why.' },
    });
  });

  it('shows nothing of a failure that nobody foresaw', () => {
    const failure = jobFailureOf(new TypeError('Zq7-internal'), undefined);

    expect(failure).toMatchObject({ kind: 'passing', reason: { code: 'InternalError' } });
    expect(JSON.stringify(failure)).not.toContain('Zq7');
  });
});

describe('jobFailed', () => {
  it('is 424, with the last reason where there is one', () => {
    expect(jobFailed('The time has passed.', { code: 'A', message: 'Because.' })).toEqual({
      status: 424,
      code: 'JobFailed',
      message: 'The time has passed. The last reason: A: Because.',
    });
    expect(jobFailed('The time has passed.', undefined).message).toBe('The time has passed.');
  });
});
