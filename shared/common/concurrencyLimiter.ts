import { ServiceError } from '../errors.ts';
import { MAX_IN_FLIGHT_PER_MAILBOX, QUEUE_FULL_RETRY_AFTER_SECONDS } from './limits.ts';

/** Keeps the requests to one mailbox within Graph's own limit; mailboxes do not wait for one another. */
export interface ConcurrencyLimiter {
  /**
   * Waits for a place, in order of arrival, and gives back what frees it.
   * @throws ServiceError MailboxBusy (or another that the queue was given) where too many wait, or the signal's reason
   */
  enter(mailbox: string, signal: AbortSignal): Promise<() => void>;
}

interface Line {
  inFlight: number;
  /** Insertion order is the order of arrival; one that gives up is taken out at once. */
  readonly waiting: Set<() => void>;
}

/**
 * Graph allows an app four concurrent requests per mailbox (learn.microsoft.com/graph/throttling-limits). This instance
 * keeps to it; across instances Graph decides. Only mailboxes with requests under way take memory.
 */
export function createConcurrencyLimiter(
  maxWaiting: number,
  places = MAX_IN_FLIGHT_PER_MAILBOX,
  whenFull: () => ServiceError = mailboxBusy,
): ConcurrencyLimiter {
  const lines = new Map<string, Line>();

  function leave(mailbox: string, line: Line): void {
    const [next] = line.waiting;
    if (next !== undefined) {
      line.waiting.delete(next); // Its place passes on: inFlight stays.
      next();
      return;
    }
    line.inFlight -= 1;
    if (line.inFlight === 0) lines.delete(mailbox);
  }

  function place(mailbox: string, line: Line): () => void {
    let isHeld = true;
    return () => {
      if (isHeld) leave(mailbox, line);
      isHeld = false;
    };
  }

  return {
    async enter(mailbox, signal) {
      let line = lines.get(mailbox);
      if (line === undefined) {
        line = { inFlight: 0, waiting: new Set() };
        lines.set(mailbox, line);
      }
      if (line.inFlight < places) {
        line.inFlight += 1;
        return place(mailbox, line);
      }
      if (line.waiting.size >= maxWaiting) throw whenFull();
      await turn(line, signal);
      return place(mailbox, line);
    },
  };
}

function turn({ waiting }: Line, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      waiting.delete(onTurn);
      reject(signal.reason);
    };
    const onTurn = () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    };
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    waiting.add(onTurn);
  });
}

function mailboxBusy(): ServiceError {
  return new ServiceError('MailboxBusy', 'Too many requests for this mailbox are waiting.', {
    headers: { 'retry-after': String(QUEUE_FULL_RETRY_AFTER_SECONDS) },
  });
}
