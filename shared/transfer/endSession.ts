import { SESSION_END_TIMEOUT_MS } from '../limits.ts';
import { inPlace } from './attempts.ts';
import type { Sending } from './sending.ts';
import { unsettled } from './upstreamFailure.ts';

export type SessionEnd =
  /** By this request: no file is attached through it any more. */
  | { readonly kind: 'ended' }
  /** There was none: it has expired, or its file is attached. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'unknown'; readonly failure: unknown };

/**
 * Ends a session at Graph, and with it what it holds: one try inside a time limit of its own, whatever became of the request. A
 * session that is left would expire by itself. Never fails.
 */
export async function endSession(sending: Sending): Promise<SessionEnd> {
  try {
    const signal = AbortSignal.timeout(SESSION_END_TIMEOUT_MS);
    const token = await sending.token();
    const result = await inPlace(sending, signal, () => sending.host.remove(sending.address(), signal, token));
    const status = result.kind === 'answer' ? result.answer.status : 0;
    if (status === 204) return { kind: 'ended' };
    return status === 404 || status === 410 ? { kind: 'gone' } : { kind: 'unknown', failure: unsettled(result) };
  } catch (failure) {
    return { kind: 'unknown', failure };
  }
}
