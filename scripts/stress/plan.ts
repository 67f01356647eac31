import { randomUUID } from 'node:crypto';
import { BUDGETS_MS, type Cell, FAULT_CASES, type FaultCase } from '../../test/support/faultMatrix/cells.ts';
import { expectOutcome } from '../../test/support/faultMatrix/expectOutcome.ts';

/** One request of the soak and what must come of it. */
export interface Planned {
  readonly mailbox: string;
  readonly itemId: string;
  readonly status: number;
  readonly code: string;
  /** Under load a last retry may not get its answer: then the budget is spent, and the answer says so. */
  readonly mayTimeOut: boolean;
}

/** The share of requests on which a fault is played. */
const FAULT_RATE = 0.1;
/** The share that goes to a few mailboxes, so that these have queues. No fault is played there: a hang would hold places. */
const HOT_RATE = 0.2;
const HOT_MAILBOXES = 8;
const MAILBOXES = 200;

/** The soak's budget is the matrix's long one, so that the matrix's model says what must come of each fault. */
const BUDGET = 'long';
export const BUDGET_MS = BUDGETS_MS[BUDGET];

/** A slow answer takes longer still on a machine that is loaded to its limit. */
const PLAYED = FAULT_CASES.filter(({ conduct }) => conduct.kind !== 'session' && conduct.kind !== 'slowSession');

/** Draws the next request: a random mailbox, and a fault on one of ten. */
export function planRequest(random: () => number = Math.random): Planned {
  if (random() < HOT_RATE) return sound(`hot${pick(random, HOT_MAILBOXES)}@contoso.example`);
  const mailbox = `mailbox${pick(random, MAILBOXES)}@contoso.example`;
  const isFaulty = random() < FAULT_RATE / (1 - HOT_RATE);
  const fault = PLAYED[pick(random, PLAYED.length)];
  return isFaulty && fault !== undefined ? faulty(mailbox, fault, random() < 0.5) : sound(mailbox);
}

function sound(mailbox: string): Planned {
  return { mailbox, itemId: randomUUID(), status: 201, code: 'Created', mayTimeOut: false };
}

/** @param isPassing the fault is played once: what is retried then succeeds */
function faulty(mailbox: string, fault: FaultCase, isPassing: boolean): Planned {
  const cell: Cell = { fault, token: 'fine', budget: BUDGET };
  const { status, code, attempts } = expectOutcome(cell);
  const nonce = randomUUID();
  const mayTimeOut = attempts.max > 1;
  // A date is up to three seconds ahead: under load the wait may no longer fit, and the refusal is relayed.
  const isCertain = attempts.min > 1 && !fault.id.includes('retry-after=date');
  if (!isPassing || !isCertain) return { mailbox, itemId: `${fault.id};nonce=${nonce}`, status, code, mayTimeOut };
  return { mailbox, itemId: `${fault.id};times=1;nonce=${nonce}`, status: 201, code: 'Created', mayTimeOut };
}

function pick(random: () => number, count: number): number {
  return Math.floor(random() * count);
}
