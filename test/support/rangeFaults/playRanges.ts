import { setTimeout as delay } from 'node:timers/promises';
import { hashUploadId } from '../../../shared/logging/mask.ts';
import { member, readError } from '../faultMatrix/graphShape.ts';
import { type Site, startSite } from '../site.ts';
import { until } from '../until.ts';
import { fileOf, type OpenedUpload, openUpload, putRange, type TestFile } from '../uploads.ts';
import { CALLER_TRIES, type Cell, EVERY_CELL, RANGE_BUDGET_MS, type Refusal } from './cells.ts';

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
  /** The `code` of each answer to a range. */
  readonly answered: readonly string[];
  /** The `code` of each line of one. */
  readonly logged: readonly unknown[];
}

export interface RangeRun {
  readonly observations: readonly Observation[];
  readonly uploads: readonly OpenedUpload[];
  readonly file: TestFile;
  /** The bodies of all errors. */
  readonly errors: readonly string[];
}

const SLICE_BYTES = 65_536;
/** Cells at a time. Few of those that keep the machine busy, so that it has time for each. */
const LANES = { busy: 8, idle: 40 } as const;
/** Between the starts of two. */
const SPACING_MS = 50;
/** Plays the cells on the site; all of them take two minutes. */
export async function playRanges(site: Site, cells: readonly Cell[] = EVERY_CELL): Promise<RangeRun> {
  const file = fileOf(2.5 * SLICE_BYTES, 'Zq7-ranges.pdf');
  const uploads: OpenedUpload[] = [];
  const errors: string[] = [];
  const observations: Omit<Observation, 'logged'>[] = [];
  const lanesOf = (count: number, isMeant: (cell: Cell) => boolean) => {
    const waiting = [...cells.entries()].filter(([, cell]) => isMeant(cell)).reverse();
    return Array.from({ length: count }, async (_, place) => {
      await delay(place * SPACING_MS);
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const [n, cell] = next;
        const played = await playCell(site, cell, n, file);
        observations[n] = played.observation;
        uploads[n] = played.upload;
        errors.push(...played.errors);
      }
    });
  };
  await Promise.all([
    ...lanesOf(LANES.busy, ({ fault }) => fault.isIdle !== true),
    ...lanesOf(LANES.idle, ({ fault }) => fault.isIdle === true),
  ]);
  const answers = observations.flatMap(({ answered }) => answered).length;
  // Answers may overtake their lines in the log.
  const codes = await until(
    'a line of each range',
    () => {
      const found = readLog(site);
      return [...found.values()].flat().length >= answers && found;
    },
    200,
  );
  const loggedOf = (upload: OpenedUpload | undefined) => (upload && codes.get(hashOf(upload))) ?? [];
  return {
    observations: observations.map((seen, n) => ({ ...seen, logged: loggedOf(uploads[n]) })),
    uploads,
    file,
    errors,
  };
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
): Promise<{ observation: Omit<Observation, 'logged'>; upload: OpenedUpload; errors: string[] }> {
  const itemId = idOf(cell, n);
  const mailbox = `ranges-${n}-@contoso.example`;
  const items = cell.fault.isTask ? 'todo/lists/any/tasks' : 'messages';
  const upload = await openUpload(site, file, `users/${mailbox}/${items}/${encodeURIComponent(itemId)}`);
  const refusals: Refusal[] = [];
  const answered: string[] = [];
  const errors: string[] = [];
  let status = 0;
  let offset = 0;
  for (let failures = 0; failures < CALLER_TRIES && status !== 201; ) {
    const last = Math.min(offset + SLICE_BYTES, file.bytes.length) - 1;
    const isHangingUp = failures === 0 && cell.fault.isHungUpOn === true;
    const hangUp = isHangingUp ? () => isFaultPlayed(site, `ranges-${n}-`) : () => false;
    const { code, body, ...answer } = await putUntil(upload.url, file, offset, last, hangUp);
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
      answered,
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
  hangUp: () => boolean,
): Promise<RangeAnswer> {
  const caller = new AbortController();
  const watch = setInterval(() => {
    if (hangUp()) caller.abort();
  }, 50);
  try {
    const answer = await putRange(url, file, first, last, {}, caller.signal);
    const body = await answer.text();
    const { status } = answer;
    return { status, body, code: status === 201 ? 'Created' : status === 200 ? 'Succeeded' : readError(answer, body) };
  } catch (error) {
    if (caller.signal.aborted) return { status: 499, code: 'CallerDisconnected', body: '' };
    throw error;
  } finally {
    clearInterval(watch);
  }
}

/** Whether Graph keeps a piece to this mailbox waiting. @param part of its name, as it stands in an address */
function isFaultPlayed({ graph }: Site, part: string): boolean {
  return graph.requests.some(({ error: fault, path }) => fault !== undefined && path.includes(part));
}

function idOf({ fault, piece }: Cell, n: number): string {
  if (fault.id === 'none') return `cell${n}`;
  const times = fault.times === undefined ? '' : `;times=${fault.times}`;
  return `${fault.id}${times};on=upload;chunk=${piece};nonce=cell${n}`;
}

function expectedOffset(progress: unknown): number {
  const ranges = member(progress, 'nextExpectedRanges');
  return Number.parseInt(Array.isArray(ranges) ? ranges[0] : '', 10);
}

/** The codes of the lines of ranges, by the hash of their upload. */
function readLog(site: Site): ReadonlyMap<string, readonly unknown[]> {
  const codes = new Map<string, unknown[]>();
  for (const { operation, upload, code } of site.events('request')) {
    if (operation === 'putRange' && typeof upload === 'string') codes.set(upload, [...(codes.get(upload) ?? []), code]);
  }
  return codes;
}

function hashOf({ url }: OpenedUpload): string {
  return hashUploadId(url.slice(url.lastIndexOf('/') + 1));
}
