import { hash } from 'node:crypto';
import type { Caller } from '../access/caller.ts';
import { type Clock, systemClock } from '../common/clock.ts';
import type { Dependencies, RequestContext } from '../dependencies.ts';
import { ServiceError } from '../errors.ts';
import { isRefusal } from '../graph/graphError.ts';
import type { RequestHeaders } from '../server/request.ts';
import type { ResponseData } from '../server/response.ts';
import type { FileToAttach } from '../transfer/attachFile.ts';
import { acquireKey, type IdempotencyLease } from './idempotencyStore.ts';

/** One turn at the work. */
export interface Attempt
  extends Pick<IdempotencyLease, 'mayBeDoneSince' | 'refusedSince'>,
    Pick<FileToAttach, 'onFullySent'> {}

/**
 * How often a request looks whether the first one with its key has an answer: after a quarter of the time that it has waited. So an
 * answer comes a quarter late at most. A small file takes less than a second, so the shortest wait is 250 ms. The longest is 4 s:
 * Logic Apps waits 120 s, and in the 220 s of a request there are some 70 looks.
 */
const MIN_POLL_MS = 250;
const MAX_POLL_MS = 4_000;

/** draft-ietf-httpapi-idempotency-key-header: a string of the client's, here without quotes too. */
const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Runs the work once for all requests that carry the same key: a repetition gets the first answer, also while the first is still
 * under way. Only success is kept: after a failure the same request may be tried again, and where the work may be done all the
 * same (its instance was lost, Graph's answer never came, or Graph refused the whole file), the next turn is called with that.
 *
 * @param request what makes two requests the same
 * @param holds whether a kept answer is still of use; where it is not, the work is done anew
 * @throws ServiceError InvalidRequest for a malformed key, IdempotencyKeyReused, and what the work throws
 */
export async function withIdempotencyKey(
  context: RequestContext,
  caller: Caller,
  request: readonly unknown[],
  {
    config,
    idempotency,
    clock = systemClock,
  }: Pick<Dependencies, 'config' | 'idempotency'> & { readonly clock?: Clock },
  work: (attempt: Attempt) => Promise<ResponseData>,
  holds: (response: ResponseData) => Promise<boolean> = async () => true,
): Promise<ResponseData> {
  const { deadline, logEntry } = context;
  const key = keyOf(context.request.headers, request);
  // The key that a run of Logic Apps gives is a help, not a demand: without a store the call goes on as it is.
  if (key === undefined || (key.isImplied && config.storage.kind === 'none'))
    return work({ mayBeDoneSince: undefined, refusedSince: undefined, onFullySent: () => {} });
  const fingerprint = hash('sha256', JSON.stringify(request), 'hex');
  const startedAt = clock.now();
  for (;;) {
    // A user must not be given the answer of another: what one may, Graph has not said of the other.
    const names = [logEntry.caller ?? '', ...(caller.kind === 'delegated' ? [caller.userId] : []), key.value];
    let claim = await acquireKey(idempotency, names, fingerprint, config.attachTimeoutMs, clock.now());
    if (claim.kind === 'answered' && !(await holds(claim.answer))) claim = await claim.claimAnew();
    logEntry.endStage('store');
    switch (claim.kind) {
      case 'otherRequest':
        throw new ServiceError('IdempotencyKeyReused', 'The Idempotency-Key came with another request before.');
      case 'answered':
        return claim.answer;
      case 'underWay':
        await clock.sleep(pollDelayMs(clock.now() - startedAt), deadline.signal);
        logEntry.endStage('wait');
        break;
      case 'turn':
        return takeTurn(claim, work, clock);
    }
  }
}

function pollDelayMs(waitedMs: number): number {
  return Math.min(Math.max(MIN_POLL_MS, waitedMs / 4), MAX_POLL_MS);
}

async function takeTurn(
  { mayBeDoneSince, refusedSince, keep, release }: IdempotencyLease,
  work: (attempt: Attempt) => Promise<ResponseData>,
  clock: Clock,
) {
  let wholeSince: number | undefined;
  const onWhole = () => {
    wholeSince ??= clock.now();
  };
  try {
    const response = await work({ mayBeDoneSince, refusedSince, onFullySent: onWhole });
    await keep(response).catch(() => {}); // The work is done all the same.
    return response;
  } catch (error) {
    const isRefused = isRefusal(error);
    await release(wholeSince !== undefined && !isRefused, isRefused ? wholeSince : undefined).catch(() => {});
    throw error;
  }
}

interface Key {
  readonly value: string;
  /** Made of what Logic Apps says of its run. */
  readonly isImplied: boolean;
}

/**
 * The engine of Logic Apps repeats POSTs even with `retryPolicy: none` (Azure/logicapps issue 1483). A repetition has the same
 * run and action; so has every turn of a loop, whose files differ.
 */
function keyOf(headers: RequestHeaders, request: readonly unknown[]): Key | undefined {
  const given = headers.get('idempotency-key');
  if (given !== null) {
    if (!KEY.test(given)) {
      throw new ServiceError('InvalidRequest', 'Idempotency-Key must have 1 to 255 visible ASCII characters.');
    }
    return { value: given, isImplied: false };
  }
  const run = headers.get('x-ms-workflow-run-id');
  const action = headers.get('x-ms-action-tracking-id');
  if (run === null || action === null) return undefined;
  return { value: JSON.stringify([run, action, ...request]), isImplied: true };
}
