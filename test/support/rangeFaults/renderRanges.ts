import { markdownTable } from '../markdownTable.ts';
import {
  CALLER_TRIES,
  CALLERS,
  OUT_OF_TIME,
  outcomeOf,
  PIECES,
  RANGE_BUDGET_MS,
  RANGE_FAULTS,
  type Refusal,
} from './cells.ts';
import type { Observation } from './playRanges.ts';

/** What is wrong with a cell, one sentence each; empty where it came out as it should. */
export function judgeRange(seen: Observation): string[] {
  const { fault, piece, caller } = seen.cell;
  const expected = outcomeOf(fault, piece);
  if (expected === undefined) return ['is no cell'];
  const tries = expected.isWhole ? expected.refusals : Array.from({ length: CALLER_TRIES }, () => expected.refusals[0]);
  const copies = expected.isWhole ? 1 : 0;
  const shown = expected.isWhole ? /^completed$/ : new RegExp(`^(uploading|failed ${expected.refusals[0]?.slice(4)})$`);
  const faults = [
    ...(areAsExpected(seen, tries) ? [] : [`the caller was answered ${seen.refusals}, not ${tries}`]),
    ...(seen.whole === copies && seen.attached === copies
      ? []
      : [`${seen.whole} of ${seen.attached} attachments are the file`]),
    ...((seen.status === 201) === expected.isWhole ? [] : [`the last answer is ${seen.status}`]),
    ...(shown.test(seen.shown) ? [] : [`GET says ${seen.shown}`]),
    ...(seen.shownId === seen.attachmentId ? [] : [`GET names ${seen.shownId}, not ${seen.attachmentId}`]),
    ...(seen.logged.join() === seen.answered.join() ? [] : [`the log says ${seen.logged} of ${seen.answered}`]),
  ];
  return faults.map((text) => `${fault.name}, ${piece} piece, caller ${caller}: ${text}`);
}

/** A fault that lasts may meet the end of the time for a range in the middle of an attempt: both answers are right. */
function areAsExpected({ refusals, cell }: Observation, expected: readonly (Refusal | undefined)[]): boolean {
  const mayBeLate = cell.fault.times === undefined;
  return (
    refusals.length === expected.length &&
    refusals.every((refusal, n) => refusal === expected[n] || (mayBeLate && refusal === OUT_OF_TIME))
  );
}

/** As Markdown. Each cell has the expected outcome, or if the app did something else, the outcome of this run. */
export function renderRanges(observations: readonly Observation[]): string {
  const columns = PIECES.flatMap((piece) => CALLERS.map((caller) => ({ piece, caller })));
  const rows = RANGE_FAULTS.map((fault) => {
    const played = observations.filter(({ cell }) => cell.fault === fault);
    const cells = columns.map(({ piece, caller }) =>
      played
        .filter(({ cell }) => cell.piece === piece && cell.caller === caller)
        .map(renderCell)
        .join(),
    );
    return [fault.name, ...cells];
  });
  return `# Errors of Graph while a range is sent

Each cell: the error responses, then *whole* if the item has one attachment with exactly the bytes of the file. Otherwise
nothing is attached. UPLOAD_TIMEOUT_MS is ${RANGE_BUDGET_MS}. The caller sends the failed range again (*repeats*), or reads the
status with GET and continues there (*resumes*), ${CALLER_TRIES} times in all.

${markdownTable(['Error', ...columns.map(({ piece, caller }) => `${piece}, ${caller}`)], rows)}`;
}

function renderCell(seen: Observation): string {
  const expected = outcomeOf(seen.cell.fault, seen.cell.piece);
  if (expected !== undefined && judgeRange(seen).length === 0) {
    return [...expected.refusals, ...(expected.isWhole ? ['whole'] : [])].join(', then ');
  }
  return [...seen.refusals, `${seen.whole} of ${seen.attached} attachments are the file`].join(', then ');
}
