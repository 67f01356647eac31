import type { Way } from '../attachSite.ts';
import type { SourceFault } from '../sourceServer.ts';

/** The error matrix of attaching in one call as data: what goes wrong × how the bytes come. */

/** What the caller is answered where the file is not attached, as `status code`. */
export type Refusal = `${number} ${string}`;

export interface Outcome {
  /** What the first request is answered where it does not attach the file. */
  readonly refusal?: Refusal;
  /** Whether the file is attached, by the first request or by its repetition with the same Idempotency-Key. */
  readonly isAttached: boolean;
}

export interface GraphFault {
  /** As the error matrix names it. */
  readonly name: string;
  /** The item id that makes the emulator play it (local/README.md), without its place and nonce. */
  readonly id: string;
  /** How often it is played; absent: without end. */
  readonly times?: number;
  readonly outcome: Outcome;
}

const ATTACHED: Outcome = { isAttached: true };

/** The repetition attaches the file. */
function once(refusal: Refusal): Outcome {
  return { refusal, isAttached: true };
}

/** What lasts is not repeated. */
function never(refusal: Refusal): Outcome {
  return { refusal, isAttached: false };
}

/** Played once, the proxy tries again; what lasts is relayed. */
function passing(name: string, fault: string, lasting: Refusal): GraphFault[] {
  return [
    { name: `${name}, once`, id: `error=${fault}`, times: 1, outcome: ATTACHED },
    { name: `${name}, lasting`, id: `error=${fault}`, outcome: never(lasting) },
  ];
}

function unheard(name: string, fault: string, outcome = ATTACHED): GraphFault {
  return { name, id: `error=${fault}`, times: 1, outcome };
}

function asksForMore(status: 429 | 503, code: string): GraphFault {
  const id = `error=status${status};retry-after=9999`;
  return { name: `${status}, Retry-After: 9999, once`, id, times: 1, outcome: once(`${status} ${code}`) };
}

function refused(name: string, fault: string, refusal: Refusal): GraphFault {
  return { name, id: `error=${fault}`, outcome: never(refusal) };
}

const THROTTLED = '429 ApplicationThrottled';
const UNAVAILABLE = '503 serviceNotAvailable';
const INVALID = '502 GraphAnswerInvalid';
const UNREACHABLE = '502 GraphUnreachable';
const TIMED_OUT = '504 TimedOut';

/** Of the POST that brings a small file. It is sent again where Graph has answered that it is done with it, and never on a guess. */
const ONE_CALL: readonly GraphFault[] = [
  { name: 'no fault', id: 'none', outcome: ATTACHED },
  ...passing('429', 'status429;retry-after=none', THROTTLED),
  asksForMore(429, 'ApplicationThrottled'),
  ...passing('503', 'status503', UNAVAILABLE),
  asksForMore(503, 'serviceNotAvailable'),
  unheard('503, though the file is attached', 'status503AfterCommit'),
  unheard('409, though the file is attached', 'status409AfterCommit', once('409 Conflict')),
  unheard('404, though the file is attached', 'status404AfterCommit'),
  ...passing('412, another writer', 'status412', '412 ErrorIrresolvableConflict'),
  ...passing('423, locked', 'status423', '423 ResourceLocked'),
  unheard('504, once', 'status504', once('504 UnknownError')),
  unheard('500, once', 'status500', once(INVALID)),
  ...passing('401', 'status401', '502 GraphRejectedToken'),
  refused('403', 'status403', '403 ErrorAccessDenied'),
  ...passing('404', 'status404', '404 ErrorItemNotFound'),
  unheard('page of a gateway with 200, once', 'html', once(INVALID)),
  unheard('answer without an attachment, once', 'noUploadUrl', once(INVALID)),
  unheard('answer of 20 MiB, once', 'hugeBody', once(INVALID)),
  unheard('reset before the file is attached, once', 'resetBeforeHeaders', once(UNREACHABLE)),
  unheard('reset after the file is attached', 'resetAfterCommit'),
  unheard('reset within the answer', 'resetAfterHeaders'),
  unheard('answer cut off', 'truncated'),
  unheard('hang before the file is attached, once', 'hangBeforeHeaders', once(TIMED_OUT)),
  unheard('hang after the file is attached', 'hangAfterCommit', once(TIMED_OUT)),
  unheard('hang within the answer', 'hangInBody', once(TIMED_OUT)),
  refused('413 message size', 'status413MessageSize', '413 ErrorMessageSizeExceeded'),
  refused('400 message size', 'status400MessageSize', '400 ErrorMessageSizeExceeded'),
  refused('page of a gateway with 413', 'html413', '413 GraphRefused'),
];

/** Of the call that opens the session of a large file. */
const SESSION: readonly GraphFault[] = [
  ...passing('429', 'status429;retry-after=none', THROTTLED),
  asksForMore(429, 'ApplicationThrottled'),
  ...passing('503', 'status503', UNAVAILABLE),
  unheard('500, once', 'status500', once(INVALID)),
  ...passing('401', 'status401', '502 GraphRejectedToken'),
  refused('403', 'status403', '403 ErrorAccessDenied'),
  ...passing('404', 'status404', '404 ErrorItemNotFound'),
  unheard('page of a gateway with 200, once', 'html', once(INVALID)),
  unheard('answer without an uploadUrl, once', 'noUploadUrl', once(INVALID)),
  ...passing('reset', 'resetBeforeHeaders', UNREACHABLE),
  unheard('hang, once', 'hangBeforeHeaders', once(TIMED_OUT)),
  refused('page of a gateway with 413', 'html413', '413 GraphRefused'),
];

/** Of a large file's piece, the first or the last. */
const PIECE: readonly GraphFault[] = [
  ...passing('429', 'status429;retry-after=none', THROTTLED),
  asksForMore(429, 'ApplicationThrottled'),
  ...passing('503', 'status503', UNAVAILABLE),
  unheard('503, though the bytes were taken', 'status503AfterCommit'),
  ...passing('500', 'status500', INVALID),
  ...passing('412, another writer', 'status412', '412 ErrorIrresolvableConflict'),
  ...passing('page of a gateway with 200', 'html', INVALID),
  ...passing('reset before the bytes are taken', 'resetBeforeHeaders', UNREACHABLE),
  unheard('reset in the middle of the piece', 'resetMidBody'),
  unheard('reset after the bytes are taken', 'resetAfterCommit'),
  unheard('answer cut off', 'truncated'),
  ...passing('hang', 'hangBeforeHeaders', TIMED_OUT),
  unheard('hang after the bytes are taken', 'hangAfterCommit'),
  unheard('401, once', 'status401', once('502 GraphRejectedToken')),
  unheard('session expired, once', 'expired', once('502 GraphRejectedToken')),
  refused('413 message size', 'status413MessageSize', '413 ErrorMessageSizeExceeded'),
  refused('page of a gateway with 413', 'html413', '413 GraphRefused'),
];

/** Bytes with their length and bytes in chunks are the same to the proxy. */
const WAYS_OF_ONE_REQUEST = ['chunked', 'in JSON', 'from an address'] as const satisfies readonly Way[];

export interface GraphTable {
  readonly title: string;
  /** Where the emulator plays the faults, as in an item id. */
  readonly on: string;
  readonly sizeBytes: number;
  readonly ways: readonly Way[];
  readonly faults: readonly GraphFault[];
}

const SMALL_BYTES = 10_000;
/** Two pieces. */
const LARGE_BYTES = 3_932_160 + 1000;

export const GRAPH_TABLES: readonly GraphTable[] = [
  {
    title: 'A small file, in one call',
    on: 'on=attach',
    sizeBytes: SMALL_BYTES,
    ways: [...WAYS_OF_ONE_REQUEST, "in a workflow's chunks"],
    faults: ONE_CALL,
  },
  {
    title: 'The session of a large file',
    on: 'on=create',
    sizeBytes: LARGE_BYTES,
    ways: WAYS_OF_ONE_REQUEST,
    faults: SESSION,
  },
  {
    title: "A large file's first piece",
    on: 'on=upload;chunk=first',
    sizeBytes: LARGE_BYTES,
    ways: ['chunked', 'from an address'],
    faults: [
      ...PIECE,
      unheard('session gone (404), once', 'sessionGone'),
      unheard('item not found at first', 'notFoundAtFirst'),
      refused('item not found, lasting', 'notFoundAtFirst', '404 ErrorItemNotFound'),
    ],
  },
  {
    title: "A large file's last piece",
    on: 'on=upload;chunk=last',
    sizeBytes: LARGE_BYTES,
    ways: WAYS_OF_ONE_REQUEST,
    faults: [
      ...PIECE,
      unheard('409, though the bytes were taken', 'status409AfterCommit', once('409 Conflict')),
      unheard('session gone (404), once', 'sessionGone', once('404 ErrorItemNotFound')),
    ],
  },
];

export interface SourceCase {
  readonly name: string;
  readonly faults: readonly SourceFault[];
  readonly contentEncoding?: string;
  /** In place of the sizes of all other cases. */
  readonly sizeBytes?: number;
  readonly outcome: Outcome;
}

/** MAX_OUTLOOK_ATTACHMENT_BYTES of all cells. */
export const CEILING_BYTES = 5_000_000;

/** ATTACH_TIMEOUT_MS and UPLOAD_TIMEOUT_MS of all cells: a busy machine has time for every attempt of a fault that passes. */
export const BUDGET_MS = 15_000;

const UNUSABLE = never('424 SourceUnusable');
const REFUSED = never('424 SourceRefused');
const OUT_OF_REACH = never('502 SourceUnavailable');

/** What a source does, played anew for the repetition. */
export const SOURCE_CASES: readonly SourceCase[] = [
  { name: 'no fault', faults: [], outcome: ATTACHED },
  { name: '404', faults: [{ kind: 'status', status: 404 }], outcome: REFUSED },
  { name: '403', faults: [{ kind: 'status', status: 403 }], outcome: REFUSED },
  {
    name: 'redirect',
    faults: [{ kind: 'status', status: 302, headers: { location: 'https://elsewhere.invalid/' } }],
    outcome: REFUSED,
  },
  { name: '503, twice', faults: [{ kind: 'status', status: 503, times: 2 }], outcome: ATTACHED },
  { name: '503, lasting', faults: [{ kind: 'status', status: 503 }], outcome: OUT_OF_REACH },
  {
    name: '429, Retry-After: 9999',
    faults: [{ kind: 'status', status: 429, headers: { 'retry-after': '9999' } }],
    outcome: OUT_OF_REACH,
  },
  { name: 'no length', faults: [{ kind: 'noLength' }], outcome: UNUSABLE },
  { name: 'no ranges', faults: [{ kind: 'noRanges' }], outcome: ATTACHED },
  { name: 'breaks off, twice', faults: [{ kind: 'breaksOff', afterBytes: 5_000, times: 2 }], outcome: ATTACHED },
  { name: 'breaks off before any byte', faults: [{ kind: 'breaksOff', afterBytes: 0 }], outcome: OUT_OF_REACH },
  {
    name: 'breaks off, and knows no ranges',
    faults: [{ kind: 'noRanges' }, { kind: 'breaksOff', afterBytes: 5_000 }],
    outcome: UNUSABLE,
  },
  {
    name: 'breaks off, and gives no ETag',
    faults: [{ kind: 'noETag' }, { kind: 'breaksOff', afterBytes: 5_000 }],
    outcome: UNUSABLE,
  },
  {
    name: 'changes in between',
    faults: [
      { kind: 'breaksOff', afterBytes: 5_000 },
      { kind: 'changes', sizeBytes: 10_000 },
    ],
    outcome: never('424 SourceChanged'),
  },
  { name: 'falls silent', faults: [{ kind: 'fallsSilent', afterBytes: 5_000 }], outcome: OUT_OF_REACH },
  {
    name: 'slower than the deadline',
    faults: [{ kind: 'isSlow', pieceBytes: 1000, pauseMs: 1_700 }],
    outcome: OUT_OF_REACH,
  },
  { name: 'sends encoded bytes', faults: [], contentEncoding: 'gzip', outcome: UNUSABLE },
  {
    name: 'larger than admitted',
    faults: [],
    sizeBytes: CEILING_BYTES + 1,
    outcome: never('400 InvalidAttachment'),
  },
  { name: 'endless', faults: [{ kind: 'isEndless' }], outcome: UNUSABLE },
];

export const SOURCE_SIZES = { 'a small file': SMALL_BYTES, 'a large file': LARGE_BYTES } as const;

/** The rows that `npm test` plays: of each kind, those that need not wait for the end of their time. */
const SAMPLE_NAMES: readonly string[] = [
  ...['no fault', '429, once', '503, though the file is attached', '404', 'reset after the file is attached'],
  ...[
    '500, once',
    '503, though the bytes were taken',
    'reset in the middle of the piece',
    'page of a gateway with 413',
  ],
  ...['503, twice', 'breaks off, twice', 'changes in between', 'larger than admitted'],
];

export interface Selection {
  readonly graph: readonly GraphTable[];
  readonly sources: readonly SourceCase[];
}

export const EVERY_CELL: Selection = { graph: GRAPH_TABLES, sources: SOURCE_CASES };

const inSample = ({ name }: { readonly name: string }) => SAMPLE_NAMES.includes(name);

export const SAMPLE: Selection = {
  graph: GRAPH_TABLES.map((table) => ({ ...table, faults: table.faults.filter(inSample) })),
  sources: SOURCE_CASES.filter(inSample),
};
