import { randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import { readError } from '../../test/support/faultMatrix/graphShape.ts';
import { ATTACHMENT_ITEM } from '../../test/support/site.ts';
import { BUDGET_MS, type Planned, planRequest } from './plan.ts';

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

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
}

/** Twice the budget and more: whatever comes later counts as hung. */
const HUNG_AFTER_MS = 10_000;
/** Two processes, two clocks. */
const CLOCK_SLACK_MS = 20;
const BODY = JSON.stringify(ATTACHMENT_ITEM);

/** Keeps every connection busy for the time given, then waits for the last answers. Each answer is looked at. */
export async function runLoad({ url, connections, seconds }: LoadOptions): Promise<LoadReport> {
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
