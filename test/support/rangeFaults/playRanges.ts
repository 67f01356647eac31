import { setTimeout as delay } from 'node:timers/promises';
import { hashUploadId } from '../../../shared/log/mask.ts';
import { member, readError } from '../faultMatrix/graphShape.ts';
import { type Site, startSite } from '../site.ts';
import { fileOf, type OpenedUpload, openUpload, putRange, type TestFile } from '../uploads.ts';
import { CALLER_TRIES, CELLS, type Cell, RANGE_BUDGET_MS, type Refusal } from './cells.ts';

/** What came of one cell. */
export interface Observation {
  readonly cell: Cell;
  /** What the caller was answered besides progress, in order. */
  readonly refusals: readonly Refusal[];
  /** Of the last answer: 201 where all went well. */
  readonly status: number;
  /** Attachments of the item with exactly the file's bytes, and all that it has. */
  readonly whole: number;
  readonly attached: number;
  /** What GET on the address says at the end: its status, and of an error the code. */
  readonly shown: string;
  readonly shownId: unknown;
  readonly attachmentId: string | undefined;
  readonly longestMs: number;
  /** The `code` of each line of a range. */
  readonly logged: readonly unknown[];
  /** The `code` of each answer to one. */
  readonly answered: readonly string[];
}

export interface RangeRun {
  readonly observations: readonly Observation[];
  readonly uploads: readonly OpenedUpload[];
  readonly file: TestFile;
  /** The bodies of all errors. */
  readonly errors: readonly string[];
}

const SLICE_BYTES = 65_536;
/** Cells at a time: most of them wait. */
const LANES = 40;

/** Plays every cell on the site; takes half a minute. */
export async function playRanges(site: Site): Promise<RangeRun> {
  const file = fileOf(2.5 * SLICE_BYTES, 'Zq7-ranges.pdf');
  const waiting = [...CELLS.entries()].reverse();
  const uploads: OpenedUpload[] = [];
  const errors: string[] = [];
  const observations: Observation[] = [];
  const lane = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [n, cell] = next;
      const played = await playCell(site, cell, n, file);
      observations[n] = played.observation;
      uploads.push(played.upload);
      errors.push(...played.errors);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { observations, uploads, file, errors };
}

/** The app with little time for a range, an account of its own, and a Graph that takes small files into sessions. */
export function startRangeSite(): Promise<Site> {
  return startSite({
    storage: true,
    settings: { UPLOAD_URL: 'proxy', ALLOW_ANY_MAILBOX: 'true', UPLOAD_TIMEOUT_MS: String(RANGE_BUDGET_MS) },
    graph: { anyItem: true, minimumSize: 1, appOnlyFamilies: 'all' },
  });
}

async function playCell(
  site: Site,
  cell: Cell,
  n: number,
  file: TestFile,
): Promise<{ observation: Observation; upload: OpenedUpload; errors: string[] }> {
  const itemId = idOf(cell, n);
  const mailbox = `ranges${n}@contoso.example`;
  const items = cell.fault.isTask ? 'todo/lists/any/tasks' : 'messages';
  const upload = await openUpload(site, file, `users/${mailbox}/${items}/${encodeURIComponent(itemId)}`);
  const refusals: Refusal[] = [];
  const answered: string[] = [];
  const errors: string[] = [];
  let status = 0;
  let longestMs = 0;
  let offset = 0;
  for (let failures = 0; failures < CALLER_TRIES && status !== 201; ) {
    const startedAt = performance.now();
    const last = Math.min(offset + SLICE_BYTES, file.bytes.length) - 1;
    const waitsMs = failures === 0 ? cell.fault.callerWaitsMs : undefined;
    const { code, body, ...answer } = await putUntil(upload.url, file, offset, last, waitsMs);
    longestMs = Math.max(longestMs, performance.now() - startedAt);
    status = answer.status;
    answered.push(code);
    if (status === 200) offset = expectedOffset(JSON.parse(body));
    if (status < 300) continue;
    failures += 1;
    refusals.push(`${status} ${code}`);
    errors.push(body);
    if (cell.caller === 'repeats') continue;
    const progress: unknown = await (await fetch(upload.url)).json();
    if (member(progress, 'status') === 'completed') status = 201;
    else offset = expectedOffset(progress) ?? offset;
  }
  const shown: unknown = await (await fetch(upload.url)).json();
  const attachments = site.graph.attachments(mailbox, itemId);
  return {
    upload,
    errors,
    observation: {
      cell,
      refusals,
      status,
      whole: attachments.filter(({ sha256 }) => sha256 === file.sha256).length,
      attached: attachments.length,
      shown: [member(shown, 'status'), member(member(shown, 'error'), 'code')].filter(Boolean).join(' '),
      shownId: member(shown, 'attachmentId'),
      attachmentId: attachments[0]?.id,
      longestMs,
      answered,
      logged: await readLogged(site, upload, answered.length),
    },
  };
}

interface RangeAnswer {
  readonly status: number;
  /** As the log calls it. */
  readonly code: string;
  readonly body: string;
}

/** One range. A caller that hangs up counts as answered with 499. */
async function putUntil(
  url: string,
  file: TestFile,
  first: number,
  last: number,
  waitsMs: number | undefined,
): Promise<RangeAnswer> {
  const signal = waitsMs === undefined ? null : AbortSignal.timeout(waitsMs);
  try {
    const answer = await putRange(url, file, first, last, {}, signal);
    const body = await answer.text();
    const { status } = answer;
    return { status, body, code: status === 201 ? 'Created' : status === 200 ? 'Succeeded' : readError(answer, body) };
  } catch (error) {
    if (signal?.aborted) return { status: 499, code: 'CallerDisconnected', body: '' };
    throw error;
  }
}

function idOf({ fault, piece }: Cell, n: number): string {
  if (fault.id === 'none') return `cell${n}`;
  const times = fault.times === undefined ? '' : `;times=${fault.times}`;
  return `${fault.id}${times};on=upload;piece=${piece};nonce=cell${n}`;
}

function expectedOffset(progress: unknown): number {
  const ranges = member(progress, 'nextExpectedRanges');
  return Number.parseInt(Array.isArray(ranges) ? ranges[0] : '', 10);
}

/** The codes of the upload's lines, once there is one for each answer: an answer may overtake its line. */
async function readLogged(site: Site, { url }: OpenedUpload, count: number): Promise<unknown[]> {
  const upload = hashUploadId(url.slice(url.lastIndexOf('/') + 1));
  const lines = () =>
    site.events('request').filter((line) => line['upload'] === upload && line['operation'] === 'receiveRange');
  for (let attempt = 0; attempt < 100 && lines().length < count; attempt++) await delay(20);
  return lines().map((line) => line['code']);
}
