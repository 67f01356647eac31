import { markdownTable } from '../markdownTable.ts';
import { BUDGET_MS, CEILING_BYTES, type Refusal } from './cells.ts';
import type { Observation } from './playAttach.ts';

/** What is wrong with a cell, one sentence each; empty where it came out as it should. */
export function judgeAttach(seen: Observation): string[] {
  const { expected, refusals, whole, attached, left, logged } = seen;
  const { isAttached } = expected;
  const copies = isAttached ? 1 : 0;
  const lines = [...refusals.map((refusal) => refusal.slice(4)), ...(isAttached ? [successCode(seen)] : [])];
  const faults = [
    ...(areAsExpected(seen) ? [] : [`the caller was answered ${refusals}, not ${answersOf(seen)}`]),
    ...(whole === copies && attached === copies ? [] : [`${whole} of ${attached} attachments are the file`]),
    ...(left === 0 ? [] : [`${left} sessions are left`]),
    ...(logged.join() === lines.join() ? [] : [`the log says ${logged}`]),
  ];
  return faults.map((text) => `${seen.table}, ${seen.fault}, ${seen.column}: ${text}`);
}

/** A fault that lasts may meet the end of the time in the middle of an attempt: both answers are right. */
const OUT_OF_TIME: Refusal = '504 TimedOut';

function areAsExpected(seen: Observation): boolean {
  const { refusals, expected } = seen;
  const answers = answersOf(seen);
  return (
    refusals.length === answers.length &&
    refusals.every((refusal, n) => refusal === answers[n] || (!expected.isAttached && refusal === OUT_OF_TIME))
  );
}

function answersOf({ expected: { refusal } }: Observation): readonly Refusal[] {
  return refusal === undefined ? [] : [refusal];
}

function successCode({ column }: Observation): string {
  return column === "in a workflow's chunks" ? 'Succeeded' : 'Created';
}

/** As Markdown. Each cell has the expected outcome, or if the app did something else, the outcome of this run. */
export function renderAttach(observations: readonly Observation[]): string {
  const tables = [...Map.groupBy(observations, ({ table }) => table)].map(([title, played]) => {
    const columns = [...new Set(played.map(({ column }) => column))];
    const rows = [...Map.groupBy(played, ({ fault }) => fault)].map(([fault, cells]) => [
      fault,
      ...columns.map((column) =>
        cells
          .filter((seen) => seen.column === column)
          .map(renderCell)
          .join(),
      ),
    ]);
    return `## ${title}\n\n${markdownTable(['Error', ...columns], rows)}`;
  });
  return `# Errors of Graph and the source while a file is attached in one call

Each cell: the error response, then *attached* if the item has one attachment with exactly the bytes of the file. Otherwise
nothing is attached, and the session is deleted. If the error can pass, the failed request is sent again with the same
Idempotency-Key. ATTACH_TIMEOUT_MS is ${BUDGET_MS}, MAX_OUTLOOK_ATTACHMENT_BYTES ${CEILING_BYTES}.

${tables.join('\n')}`;
}

function renderCell(seen: Observation): string {
  const { refusals, whole, attached, expected } = seen;
  if (judgeAttach(seen).length === 0) {
    return [...answersOf(seen), ...(expected.isAttached ? ['attached'] : [])].join(', then ');
  }
  return [...refusals, `${whole} of ${attached} attachments are the file`].join(', then ');
}
