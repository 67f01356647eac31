import { SESSION_END_TIMEOUT_MS } from '../limits.ts';
import type { Sending } from './sending.ts';

/**
 * Ends a session at Graph that nobody goes on with, whatever became of its request: a time limit of its own. It would expire by
 * itself, so a failure is nobody's.
 *
 * @returns whether Graph has ended it
 */
export async function endSession(sending: Sending): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(SESSION_END_TIMEOUT_MS);
    const { result } = await sending.host.remove(sending.address(), signal, await sending.token());
    const removed = await result;
    return removed.kind === 'answer' && removed.answer.status === 204;
  } catch {
    return false;
  }
}
