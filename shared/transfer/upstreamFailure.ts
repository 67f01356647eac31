import { ServiceError } from '../errors.ts';
import type { AttemptResult, UpstreamAnswer } from '../graph/exchange.ts';

/** An answer of Graph that ends a transfer's request, and may be relayed: throttled, unavailable, failed, refused. */
export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure';
  readonly answer: UpstreamAnswer;

  constructor(answer: UpstreamAnswer) {
    super(`Graph answered ${answer.status}.`);
    this.answer = answer;
  }
}

/** Whether Graph has said no: it has taken nothing of what it was sent. */
export function isRefusal(failure: unknown): failure is UpstreamFailure {
  return failure instanceof UpstreamFailure && failure.answer.status < 500;
}

/** The error for the caller where the last of all attempts has settled nothing. */
export function unsettled(last: AttemptResult): Error {
  if (last.kind === 'answer') return new UpstreamFailure(last.answer);
  if (last.cause instanceof ServiceError) return last.cause;
  return new ServiceError('GraphUnreachable', 'The connection to Graph failed.', { cause: last.cause });
}
