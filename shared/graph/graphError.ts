import { ServiceError } from '../errors.ts';
import type { AttemptResult, GraphResponse } from './graphAttempt.ts';

/** An answer of Graph that ends a transfer's request, and may be relayed: throttled, unavailable, failed, refused. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
  readonly response: GraphResponse;

  constructor(response: GraphResponse) {
    super(`Graph answered ${response.status}.`);
    this.response = response;
  }
}

/** Whether Graph has said no: it has taken nothing of what it was sent. */
export function isRefusal(failure: unknown): failure is GraphError {
  return failure instanceof GraphError && failure.response.status < 500;
}

/** The error for the caller where the last of all attempts has settled nothing. */
export function unsettled(last: AttemptResult): Error {
  if (last.kind === 'answer') return new GraphError(last.answer);
  if (last.cause instanceof ServiceError) return last.cause;
  return new ServiceError('GraphUnreachable', 'The connection to Graph failed.', { cause: last.cause });
}
