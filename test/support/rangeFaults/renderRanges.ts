import {
  CALLER_TRIES,
  CALLERS,
  EVERY_CELL,
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

/** Whether docs/uploadFaults.md says the same of this cell. */
export function isDocumented(document: string, seen: Observation): boolean {
  const { fault, piece, caller } = seen.cell;
  const row = document.split('\n').find((line) => line.startsWith(`| ${fault.name} | `));
  const column = PIECES.indexOf(piece) * CALLERS.length + CALLERS.indexOf(caller);
  return row?.replace(/ \|$/, '').split(' | ')[1 + column] === words(seen);
}

/** docs/uploadFaults.md from what was seen. */
export function renderRanges(observations: readonly Observation[]): string {
  const rows = RANGE_FAULTS.map((fault) => {
    const cells = PIECES.flatMap((piece) =>
      CALLERS.map((caller) => {
        const seen = observations.find(
          ({ cell }) => cell.fault === fault && cell.piece === piece && cell.caller === caller,
        );
        return seen === undefined ? '–' : words(seen);
      }),
    );
    return `| ${[fault.name, ...cells].join(' | ')} |`;
  });
  return `<!-- Written by \`npm run faults\`, which plays every cell; a test plays them again and compares. -->
# Faults of uploads

What becomes of a file that comes in ranges through the proxy when a piece of it meets a fault on its way to Graph. Each of the
${EVERY_CELL.length} cells was played against the emulators (local/README.md), with ${RANGE_BUDGET_MS} ms for a range (UPLOAD_TIMEOUT_MS).
**Whole** means that the item has one attachment, with exactly the bytes that were sent, and that the upload says so; else
nothing is attached. What stands before or in its place is what the caller was answered; every error has Graph's shape
(docs/errors.md), and its line in the log says the same.

- The caller *repeats* the range that was refused, or *resumes*: asks with GET where the upload is and continues from there;
  ${CALLER_TRIES} tries in all.
- *Once*: the piece's first attempt meets the fault. *Lasting*: every attempt does.
- The file comes in three ranges, which are three pieces at Graph.

| Fault | ${PIECES.flatMap((piece) => CALLERS.map((caller) => `${piece}, ${caller}`)).join(' | ')} |
|---|${PIECES.flatMap(() => CALLERS.map(() => '---|')).join('')}
${rows.join('\n')}
`;
}

function words({ refusals, whole, attached, cell }: Observation): string {
  const different = [...new Set(refusals)];
  const isLate = cell.fault.times === undefined && different.includes(OUT_OF_TIME);
  const answers = (isLate ? outcomeOf(cell.fault, cell.piece)?.refusals : different)?.join(', ') ?? '';
  const end = whole === 1 && attached === 1 ? 'whole' : attached === 0 ? '' : `${attached} attached`;
  return [answers, end].filter((text) => text !== '').join(', then ');
}
