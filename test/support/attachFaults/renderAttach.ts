import { BUDGET_MS, CEILING_BYTES, GRAPH_TABLES, type Refusal, SOURCE_CASES, SOURCE_SIZES } from './cells.ts';
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

/** Whether docs/attachFaults.md says the same of this cell. */
export function isDocumented(document: string, seen: Observation): boolean {
  const [, table = ''] = document.split(`## ${seen.table}\n`);
  const [heads = [], , ...rows] = (table.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  const row = rows.find(([, fault]) => fault === seen.fault);
  return row?.[heads.indexOf(seen.column)] === words(seen);
}

/** docs/attachFaults.md from what was seen. */
export function renderAttach(observations: readonly Observation[]): string {
  const tableOf = (title: string, faults: readonly string[], columns: readonly string[]) => {
    const rows = faults.map((fault) => {
      const cells = columns.map((column) => {
        const seen = observations.find((one) => one.table === title && one.fault === fault && one.column === column);
        return seen === undefined ? 'not played' : words(seen);
      });
      return `| ${[fault, ...cells].join(' | ')} |`;
    });
    return `## ${title}

| Fault | ${columns.join(' | ')} |
|---|${columns.map(() => '---|').join('')}
${rows.join('\n')}
`;
  };
  const tables = [
    ...GRAPH_TABLES.map(({ title, faults, ways }) =>
      tableOf(
        title,
        faults.map(({ name }) => name),
        ways,
      ),
    ),
    tableOf(
      'The source',
      SOURCE_CASES.map(({ name }) => name),
      Object.keys(SOURCE_SIZES),
    ),
  ];
  return `<!-- Written by \`npm run faults\`, which plays every cell; a test plays them again and compares. -->
# Faults of attaching in one call

What becomes of a file that is attached in one call (docs/api/attach.md) when Graph or the source fails. Each of the
${observations.length} cells was played against the emulators (local/README.md), with ${BUDGET_MS} ms for a file (ATTACH_TIMEOUT_MS).
**Attached** means that the item has one attachment, with exactly the bytes that were sent; else it has none, and the session at
Graph is ended. What stands before or in its place is what the caller was answered; every error has Graph's shape
(docs/errors.md), and its line in the log says the same.

- Where the fault may pass, a request that was refused is repeated with the same \`Idempotency-Key\`: *504 TimedOut, then attached* is one attachment.
- *Once*: the first attempt meets the fault. *Lasting*: every attempt does.
- A file that goes up in one call is sent again only where Graph has answered that it is done with the call (412, 423, 429, 503,
  and 404 for a moment) and the item does not have the file anyway.
- The session and the pieces of a workflow's chunks have their own table (uploadFaults.md).
- No file is larger than ${CEILING_BYTES} bytes here (MAX_OUTLOOK_ATTACHMENT_BYTES).

${tables.join('\n')}`;
}

function words(seen: Observation): string {
  const { refusals, whole, attached } = seen;
  const answers = (areAsExpected(seen) ? answersOf(seen) : refusals).join(', ');
  const end = whole === 1 && attached === 1 ? 'attached' : attached === 0 ? '' : `${attached} attached`;
  return [answers, end].filter((text) => text !== '').join(', then ');
}
