import { markdownTable } from '../markdownTable.ts';
import { BUDGETS, BUDGETS_MS, FAULT_CASES, SLOW_TOKEN_MS, TOKENS } from './cells.ts';
import { expectOutcome, leastGapMs, type Range } from './expectOutcome.ts';
import type { Observation } from './playMatrix.ts';

/** Timers may fire a moment early against another clock. */
const CLOCK_SLACK_MS = 10;

/** The end of the time came in the middle of an attempt. */
function isOutOfTime({ status, code, attempts, cell }: Observation): boolean {
  const expected = expectOutcome(cell);
  return expected.mayTimeOut && status === 504 && code === 'TimedOut' && attempts <= expected.attempts.max;
}

/** What is wrong with a cell, one sentence each; empty where it came out as the requirements ask. */
export function judge(seen: Observation): string[] {
  if (isOutOfTime(seen)) return [];
  const expected = expectOutcome(seen.cell);
  const { attempts } = expected;
  const gap = leastGapMs(seen.cell.fault.conduct);
  const faults = [
    ...(seen.status === expected.status && seen.code === expected.code
      ? []
      : [`answered ${seen.status} ${seen.code}, not ${expected.status} ${expected.code}: ${expected.because}`]),
    ...(isWithin(attempts, seen.attempts) ? [] : [`${seen.attempts} attempts, not ${words(attempts)}`]),
    ...(seen.loggedAttempts === seen.attempts
      ? []
      : [`the log says ${seen.loggedAttempts} attempts of ${seen.attempts}`]),
    ...(seen.loggedCode === seen.code ? [] : [`the log says ${seen.loggedCode}`]),
    ...(seen.gapsMs.every((ms) => ms >= gap - CLOCK_SLACK_MS) ? [] : [`repeated after ${seen.gapsMs} ms, not ${gap}`]),
  ];
  const { fault, budget, token } = seen.cell;
  return faults.map((text) => `${fault.name}, ${budget} budget, ${token} token: ${text}`);
}

function isWithin({ min, max }: Range, value: number): boolean {
  return value >= min && value <= max;
}

function words({ min, max }: Range): string {
  return min === max ? String(min) : `${min}–${max}`;
}

/** As Markdown. Each cell has the expected outcome, or if the app did something else, the outcome of this run. */
export function renderMatrix(observations: readonly Observation[]): string {
  const rows = FAULT_CASES.flatMap((fault) =>
    BUDGETS.map((budget) => {
      const played = observations.filter(({ cell }) => cell.fault === fault && cell.budget === budget);
      const cells = TOKENS.map((token) =>
        played
          .filter(({ cell }) => cell.token === token)
          .map(renderCell)
          .join(),
      );
      return [fault.name, budget, ...cells];
    }),
  );
  return `# Errors of Graph and the token when a session is opened

Each cell: status, code · requests that reached Graph. Jitter and the speed of the machine decide within a range.

- Budget: REQUEST_TIMEOUT_MS, short ${BUDGETS_MS.short} ms, long ${BUDGETS_MS.long} ms. If it ends during a request, the response is 504 TimedOut.
- Token *fine*: in the cache. *Slow*: not in the cache, the identity endpoint takes ${SLOW_TOKEN_MS} ms. *Failing*: not in the
  cache, the identity endpoint returns 500. *Expiring*: Graph rejects the first request with 401.

${markdownTable(['Error', 'Budget', ...TOKENS.map((token) => `Token ${token}`)], rows)}`;
}

function renderCell(seen: Observation): string {
  const { status, code, attempts } = expectOutcome(seen.cell);
  return judge(seen).length === 0
    ? `${status} ${code} · ${words(attempts)}`
    : `${seen.status} ${seen.code} · ${seen.attempts}`;
}
