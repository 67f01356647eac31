import { randomInt, randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import { BUDGETS_MS, type Cell, FAULT_CASES, type FaultCase } from '../../test/support/faultMatrix/cells.ts';
import { expectOutcome } from '../../test/support/faultMatrix/expectOutcome.ts';
import { readError } from '../../test/support/faultMatrix/graphShape.ts';
import { ATTACHMENT_ITEM } from '../../test/support/site.ts';

export interface LoadReport {
  readonly answered: number;
  /** Requests whose connection failed before a whole answer. */
  readonly lost: readonly string[];
  /** Requests without an answer long after their budget. */
  readonly hung: readonly string[];
  /** Answers that are not what the fault that was played must lead to. */
  readonly wrong: readonly string[];
  /** How often each status and code was answered. */
  readonly outcomes: ReadonlyMap<string, number>;
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
/** A request without a response after this time counts as hung. */
const HUNG_AFTER_MS = 2.5 * BUDGET_MS;

/** A slow answer takes longer still on a machine that is loaded to its limit. */
const PLAYED = FAULT_CASES.filter(({ conduct }) => conduct.kind !== 'session' && conduct.kind !== 'slowSession');

/** Two processes, two clocks. */
const CLOCK_SLACK_MS = 20;
const BODY = JSON.stringify(ATTACHMENT_ITEM);

/** Keeps every connection busy for the time given, then waits for the last answers. Each answer is looked at. */
export async function runLoad(url: string, connections: number, seconds: number): Promise<LoadReport> {
  const pool = new Pool(url, { connections, headersTimeout: HUNG_AFTER_MS, bodyTimeout: HUNG_AFTER_MS });
  const report = { answered: 0, lost: [] as string[], hung: [] as string[], wrong: [] as string[] };
  const outcomes = new Map<string, number>();
  const end = performance.now() + seconds * 1000;

  async function play(planned: Planned): Promise<void> {
    const name = `${planned.mailbox} ${planned.itemId}`;
    try {
      const { outcome, fault } = await ask(pool, planned);
      report.answered += 1;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (fault !== undefined) report.wrong.push(`${name}: ${fault}`);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      (/_TIMEOUT$/.test(code) ? report.hung : report.lost).push(`${name}: ${code}`);
    }
  }
  const connection = async () => {
    while (performance.now() < end) await play(planRequest());
  };
  await Promise.all(Array.from({ length: connections }, connection));
  await pool.close();
  return { ...report, outcomes };
}

async function ask(pool: Pool, planned: Planned): Promise<{ outcome: string; fault: string | undefined }> {
  const clientRequestId = randomUUID();
  const startedAt = performance.now();
  const { statusCode, headers, body } = await pool.request({
    method: 'POST',
    path: `/api/users/${planned.mailbox}/messages/${encodeURIComponent(planned.itemId)}/attachments/createUploadSession`,
    headers: { 'content-type': 'application/json', 'client-request-id': clientRequestId },
    body: BODY,
  });
  const text = await body.text();
  const known = new Headers(Object.entries(headers).map(([name, value]) => [name, String(value)] as [string, string]));
  const code = statusCode < 300 ? sessionOf(text, planned) : readError({ headers: known }, text);
  const outcome = `${statusCode} ${code}`;
  if (known.get('client-request-id') !== clientRequestId) return { outcome, fault: 'the answer to another request' };
  const expected = `${planned.status} ${planned.code}`;
  const isSpent = performance.now() - startedAt >= BUDGET_MS - CLOCK_SLACK_MS;
  const isRight = outcome === expected || (planned.mayTimeOut && outcome === '504 TimedOut' && isSpent);
  return { outcome, fault: isRight ? undefined : `${outcome}, not ${expected}` };
}

/** `Created` where the uploadUrl is for the item that was asked for. */
function sessionOf(text: string, { mailbox, itemId }: Planned): string {
  const session: { uploadUrl?: string } = JSON.parse(text);
  const path = decodeURIComponent(session.uploadUrl ?? '');
  return path.includes(`users('${mailbox}@`) && path.includes(`messages('${itemId}')`) ? 'Created' : 'another session';
}

/** One request of the soak and what must come of it. */
interface Planned {
  readonly mailbox: string;
  readonly itemId: string;
  readonly status: number;
  readonly code: string;
  /** Under load a last retry may not get its answer: then the budget is spent, and the answer says so. */
  readonly mayTimeOut: boolean;
}

/** Draws the next request: a random mailbox, and a fault on one of ten. */
function planRequest(): Planned {
  if (Math.random() < HOT_RATE) return sound(`hot${randomInt(HOT_MAILBOXES)}@contoso.example`);
  const mailbox = `mailbox${randomInt(MAILBOXES)}@contoso.example`;
  const isFaulty = Math.random() < FAULT_RATE / (1 - HOT_RATE);
  const fault = PLAYED[randomInt(PLAYED.length)];
  return isFaulty && fault !== undefined ? faulty(mailbox, fault, Math.random() < 0.5) : sound(mailbox);
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
