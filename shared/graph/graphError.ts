import { ServiceError } from '../errors.ts';
import type { AttemptResult, GraphResponse } from './graphResponse.ts';

/** A response of Graph that is no success and ends the request. It may be relayed. */
export class GraphError extends Error {
  override readonly name = 'GraphError';
  readonly response: GraphResponse;

  constructor(response: GraphResponse) {
    super(`Graph returned ${response.status}.`);
    this.response = response;
  }
}

/** Whether Graph has rejected the request, so that it has taken none of its bytes. */
export function isRefusal(failure: unknown): failure is GraphError {
  return failure instanceof GraphError && failure.response.status < 500;
}

/** The caller's error if no attempt has settled the request. */
export function unsettled(last: AttemptResult): Error {
  if (last.kind === 'response') return new GraphError(last.response);
  if (last.cause instanceof ServiceError) return last.cause;
  return new ServiceError('GraphUnreachable', 'The connection to Graph failed.', { cause: last.cause });
}
