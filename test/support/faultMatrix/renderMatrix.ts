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

/** A cell of docs/faults.md. Attempts that jitter and speed decide are shown as the range that they must lie in. */
export function renderCell(seen: Observation): string {
  const { status, code, attempts } = expectOutcome(seen.cell);
  if (isOutOfTime(seen)) return `${status} ${code} · ${words(attempts)}`;
  const shown = isWithin(attempts, seen.attempts) ? words(attempts) : String(seen.attempts);
  return `${seen.status} ${seen.code} · ${shown}`;
}

/** The cell that docs/faults.md has in its place. */
export function documentedCell(document: string, { fault, budget, token }: Observation['cell']): string | undefined {
  const row = document.split('\n').find((line) => line.startsWith(`| ${fault.name} | ${budget} |`));
  return row?.split(' | ')[2 + TOKENS.indexOf(token)]?.replace(/ \|$/, '');
}

/** docs/faults.md from what was seen. */
export function renderMatrix(observations: readonly Observation[]): string {
  const rows = FAULT_CASES.flatMap((fault) =>
    BUDGETS.map((budget) => {
      const cells = TOKENS.map((token) => {
        const seen = observations.find(
          ({ cell }) => cell.fault === fault && cell.budget === budget && cell.token === token,
        );
        return seen === undefined ? 'not played' : renderCell(seen);
      });
      return `| ${[fault.name, budget, ...cells].join(' | ')} |`;
    }),
  );
  return `<!-- Written by \`npm run faults\`, which plays every cell; a test plays them again and compares. -->
# Faults

What a caller is answered when Graph or the token fails. Each cell was played against the emulators (local/README.md):
**status, code · calls that reached Graph**. A range means that the random part of the backoff, or the speed of the machine,
decides how many calls fit. Every error has Graph's shape (docs/errors.md). Where calls are repeated or the budget is short,
it may end in the middle of a call: then the answer is 504 TimedOut.

- Budget: the time for the whole request, REQUEST_TIMEOUT_MS; short is ${BUDGETS_MS.short} ms, long ${BUDGETS_MS.long} ms.
- Token *fine*: at hand. *Slow*: none at hand, the identity endpoint takes ${SLOW_TOKEN_MS} ms. *Failing*: none at hand, the
  endpoint answers 500. *Expiring*: it ends on its way to Graph, which answers 401; that call counts.
- 429, 503, 504 and connections that fail before an answer are repeated, three times at most, as long as the wait that
  Graph asks for (\`Retry-After\`) fits the budget. \`date\` is two to three seconds ahead; \`garbage\` is neither seconds nor
  a date and counts as none.
- 404 ErrorItemNotFound is repeated after 0.7 s and 1.4 s: an item that was just created is not on every server of Graph yet.

| Fault | Budget | Token fine | Token slow | Token failing | Token expiring |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
}
