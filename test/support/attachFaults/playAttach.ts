import { setTimeout as delay } from 'node:timers/promises';
import { type AttachAnswer, type AttachSite, postFile, startAttachSite, WAYS, type Way } from '../attachSite.ts';
import { readError } from '../faultMatrix/graphShape.ts';
import type { AppEvent } from '../site.ts';
import type { SourceFault } from '../sourceServer.ts';
import { fileOf, type TestFile } from '../uploads.ts';
import {
  BUDGET_MS,
  CEILING_BYTES,
  EVERY_CELL,
  type GraphFault,
  type GraphTable,
  type Outcome,
  type Refusal,
  type Selection,
  SOURCE_SIZES,
  type SourceCase,
} from './cells.ts';

/** What came of one cell. */
export interface Observation {
  readonly table: string;
  readonly fault: string;
  /** The column: how the bytes came, or how many. */
  readonly column: string;
  readonly expected: Outcome;
  /** What the caller was answered where the file was not attached, in order. */
  readonly refusals: readonly Refusal[];
  /** Attachments of the item with exactly the file's bytes, and all that it has. */
  readonly whole: number;
  readonly attached: number;
  /** Sessions at Graph that nobody has ended after a refusal. */
  readonly left: number;
  /** The `code` of the line of each answer; of a workflow's chunks that of the last. */
  readonly logged: readonly unknown[];
}

/** Cells at a time: many of them wait. */
const LANES = 24;

/** The app with little time for a file, and an account of its own. */
export function startFaultSite(): Promise<AttachSite> {
  return startAttachSite({
    settings: {
      ATTACH_TIMEOUT_MS: String(BUDGET_MS),
      UPLOAD_TIMEOUT_MS: String(BUDGET_MS),
      MAX_OUTLOOK_ATTACHMENT_BYTES: String(CEILING_BYTES),
    },
    graph: { anyItem: true },
  });
}

/** Plays the cells on the site; all of them take two minutes. */
export async function playAttach(
  site: AttachSite,
  { graph, sources }: Selection = EVERY_CELL,
): Promise<readonly Observation[]> {
  const graphCells = graph.flatMap((table) =>
    table.faults.flatMap((fault) => table.ways.map((way) => () => playGraphFault(site, table, fault, way))),
  );
  const sourceCells = sources.flatMap((source) =>
    Object.entries(SOURCE_SIZES).map(
      ([column, size]) =>
        () =>
          playSourceFault(site, source, column, size),
    ),
  );
  const cells = [...graphCells, ...sourceCells];
  const waiting = [...cells.entries()].reverse();
  const observations: Observation[] = [];
  const lane = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const [n, play] = next;
      observations[n] = await play();
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return observations;
}

let cellsPlayed = 0;

function playGraphFault(
  site: AttachSite,
  { title, on, sizeBytes }: GraphTable,
  { name, id, times, outcome }: GraphFault,
  way: Way,
): Promise<Observation> {
  const nonce = `cell${cellsPlayed++}`;
  const itemId = id === 'none' ? nonce : `${id}${times === undefined ? '' : `;times=${times}`};${on};nonce=${nonce}`;
  const about = { table: title, fault: name, column: way, expected: outcome };
  return play(site, about, itemId, sizeBytes, (path, file, headers) => WAYS[way](site, path, file, headers));
}

function playSourceFault(site: AttachSite, source: SourceCase, column: string, size: number): Promise<Observation> {
  const itemId = `cell${cellsPlayed++}`;
  const place = `/${itemId}.pdf`;
  const { faults, contentEncoding, outcome: expected } = source;
  const about = { table: 'The source', fault: source.name, column, expected };
  return play(site, about, itemId, source.sizeBytes ?? size, (path, { name, bytes }, headers) => {
    const coding = contentEncoding === undefined ? {} : { contentEncoding };
    site.source.put(place, { bytes, faults: structuredClone<readonly SourceFault[]>(faults), ...coding });
    return postFile(site, path, { name, sourceUrl: `${site.source.origin}${place}` }, headers);
  });
}

async function play(
  site: AttachSite,
  about: Pick<Observation, 'table' | 'fault' | 'column' | 'expected'>,
  itemId: string,
  sizeBytes: number,
  attach: (path: string, file: TestFile, headers: Readonly<Record<string, string>>) => Promise<AttachAnswer>,
): Promise<Observation> {
  const mailbox = `${/cell\d+$/.exec(itemId)?.[0]}@contoso.example`;
  const path = `users/${mailbox}/messages/${encodeURIComponent(itemId)}/attachments`;
  const file = fileOf(sizeBytes, 'Zq7-attach.pdf');
  const refusals: Refusal[] = [];
  const logged: unknown[] = [];
  const tries = about.expected.isAttached ? 2 : 1;
  for (let n = 0, status = 0; n < tries && status !== 200 && status !== 201; n += 1) {
    const answer = await attach(path, file, { 'idempotency-key': mailbox });
    status = answer.status;
    const line = await lineOf(site, answer);
    logged.push(line['code']);
    if (status > 201) refusals.push(`${status} ${readError({ headers: new Headers(headersOf(answer)) }, answer.body)}`);
  }
  const attachments = site.graph.attachments(mailbox, itemId);
  return {
    ...about,
    refusals,
    whole: attachments.filter(({ sha256 }) => sha256 === file.sha256).length,
    attached: attachments.length,
    left: about.column === "in a workflow's chunks" ? 0 : await sessionsLeft(site, mailbox, attachments.length),
    logged,
  };
}

function headersOf({ headers }: AttachAnswer): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

function lineOf(site: AttachSite, { headers }: AttachAnswer): Promise<AppEvent> {
  const requestId = headers['x-ms-invocation-id'];
  return site.findEvent('request', (line) => line['requestId'] === requestId);
}

/** Faults after which a session is of no more use. */
const DEADLY: readonly unknown[] = ['sessionGone', 'expired', 'notFoundAtFirst'];

/** How many of the mailbox's sessions were not ended within ten seconds. Those of a workflow's chunks go on with the next request. */
async function sessionsLeft({ graph }: AttachSite, mailbox: string, attached: number): Promise<number> {
  const left = () => {
    const calls = graph.requests.filter(({ path }) => decodeURIComponent(path).includes(mailbox));
    const opened = calls.filter(
      ({ path, status, error: fault }) => /createUploadSession$/.test(path) && status === 201 && !fault,
    );
    const ended = calls.filter(({ method, error: fault }) => method === 'DELETE' || DEADLY.includes(fault));
    return Math.max(0, opened.length - ended.length - attached);
  };
  for (let attempt = 0; attempt < 500 && left() > 0; attempt += 1) await delay(20);
  return left();
}
