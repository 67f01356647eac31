import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { BUDGETS_MS, type Cell, FAULT_CASES, type FaultCase } from '../test/support/faultMatrix/cells.ts';
import { expectOutcome } from '../test/support/faultMatrix/expectOutcome.ts';
import { readError } from '../test/support/faultMatrix/graphShape.ts';
import { runFuzz } from '../test/support/fuzz/runFuzz.ts';
import { residentMebibytes } from '../test/support/residentMemory.ts';
import { ATTACHMENT_ITEM, startSite } from '../test/support/site.ts';

/** The share of requests on which a fault is played. */
const FAULT_RATE = 0.1;
/** The share that goes to a few mailboxes, so that these have queues. No fault is played there: a hang would hold places. */
const HOT_RATE = 0.2;
const HOT_MAILBOXES = 8;
const MAILBOXES = 200;

/** The soak's budget is the matrix's long one, so that the matrix's model says what must come of each fault. */
const BUDGET = 'long';
const BUDGET_MS = BUDGETS_MS[BUDGET];
/** A request without a response after this time counts as hung. */
const HUNG_AFTER_MS = 2.5 * BUDGET_MS;

/** A slow answer takes longer still on a machine that is loaded to its limit. */
const PLAYED = FAULT_CASES.filter(({ conduct }) => conduct.kind !== 'session' && conduct.kind !== 'slowSession');

/** Two processes, two clocks. */
const CLOCK_SLACK_MS = 20;
const BODY = JSON.stringify(ATTACHMENT_ITEM);

/** Graph's limit. */
const MAX_IN_FLIGHT = 4;
const MAX_PRINTED = 10;

/** Returns the number of requests that were lost, hung or answered wrongly, and prints the first of each. */
export async function runSoak(seconds: number, connections: number, fuzz: number): Promise<number> {
  const loadErrors = await runUnderLoad(seconds, connections);
  return loadErrors + (fuzz > 0 ? await runGenerated(fuzz) : 0);
}

async function runUnderLoad(seconds: number, connections: number): Promise<number> {
  const site = await startSite({
    settings: { ALLOW_ANY_MAILBOX: 'true', REQUEST_TIMEOUT_MS: String(BUDGET_MS) },
    graph: { anyItem: true, latencyMs: 20, recordLimit: 0 },
    identity: { lifetimeSeconds: 40 }, // So that tokens are renewed under load.
  });
  try {
    const warmUpSeconds = Math.round(seconds / 3);
    const warm = delay(warmUpSeconds * 1000).then(() => residentMebibytes(site.host.workerPid));
    const { outcomes, lost, hung, wrong } = await runLoad(site.url, connections, seconds);
    const memory = [await warm, await residentMebibytes(site.host.workerPid)].map((mebibytes) => mebibytes.toFixed(1));

    console.log(
      `${[...outcomes.values()].reduce((sum, times) => sum + times, 0)} responses over ${connections} connections in ${seconds} s:`,
    );
    for (const [outcome, times] of [...outcomes].sort()) console.log(`  ${times} × ${outcome}`);
    const most = site.graph.maxConcurrentPerMailbox;
    const errors =
      print('lost', lost) +
      print('hung', hung) +
      print('wrong', wrong) +
      print('in flight per mailbox beyond four', most > MAX_IN_FLIGHT ? [String(most)] : []);
    console.log(`most in flight per mailbox: ${most}; tokens fetched: ${site.identity.requests.length}`);
    console.log(`worker memory: ${memory[0]} MiB after ${warmUpSeconds} s, ${memory[1]} MiB at the end`);
    return errors;
  } finally {
    await site.close();
  }
}

async function runGenerated(total: number): Promise<number> {
  const seed = Date.now() % 2 ** 30;
  let errors = 0;
  for (const reach of ['any', 'meOnly'] as const) {
    const report = await runFuzz({ count: total / 2, reach, seed });
    console.log(`fuzz (${reach}, seed ${seed}): ${report.requests} requests, ${report.upstreamCalls} calls to Graph`);
    console.log(`  ${JSON.stringify(report.statuses)}`);
    errors += print('5xx, lost, or beyond the named item', report.faults);
  }
  return errors;
}

function print(what: string, found: readonly string[]): number {
  console.log(`${what}: ${found.length}`);
  for (const one of found.slice(0, MAX_PRINTED)) console.log(`  ${one}`);
  return found.length;
}

/** Keeps every connection busy for the time given, then waits for the last answers. Each answer is looked at. */
async function runLoad(url: string, connections: number, seconds: number) {
  const pool = new Pool(url, { connections, headersTimeout: HUNG_AFTER_MS, bodyTimeout: HUNG_AFTER_MS });
  const lost: string[] = [];
  const hung: string[] = [];
  const wrong: string[] = [];
  const outcomes = new Map<string, number>();
  const end = performance.now() + seconds * 1000;

  async function play(planned: Planned): Promise<void> {
    const name = `${planned.mailbox} ${planned.itemId}`;
    try {
      const { outcome, fault } = await ask(pool, planned);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (fault !== undefined) wrong.push(`${name}: ${fault}`);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      (/_TIMEOUT$/.test(code) ? hung : lost).push(`${name}: ${code}`);
    }
  }
  const connection = async () => {
    while (performance.now() < end) await play(planRequest());
  };
  await Promise.all(Array.from({ length: connections }, connection));
  await pool.close();
  return { lost, hung, wrong, outcomes };
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
