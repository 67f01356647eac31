/** The error matrix of ranges as data: what becomes of a piece on its way to Graph × which piece × what the caller does then. */

/** What the caller is answered besides progress, as `status code`; 499 where it has hung up. */
export type Refusal = `${number} ${string}`;

export interface RangeFault {
  /** As the error matrix names it. */
  readonly name: string;
  /** The item id that makes the emulator play it (local/README.md), without its piece and nonce. */
  readonly id: string;
  /** How often it is played; absent: without end. */
  readonly times?: number;
  /** The caller hangs up while the fault is played. */
  readonly isHungUpOn?: true;
  /** The time for a range passes with waiting: many such cells go side by side. */
  readonly isIdle?: true;
  /** The item is a task of To Do, whose pieces carry the proxy's token. */
  readonly isTask?: true;
  readonly outcome: Outcome | Readonly<Partial<Record<Piece, Outcome>>>;
}

export interface Outcome {
  /** Whether the file is attached, whole and once, or not at all. */
  readonly isWhole: boolean;
  /** What the caller is answered on the way, of which the last ends it where nothing is attached. */
  readonly refusals: readonly Refusal[];
}

export const PIECES = ['first', 'middle', 'last'] as const;
export type Piece = (typeof PIECES)[number];

/** `repeats`: sends the range again. `resumes`: asks where the upload is, and goes on from there. */
export const CALLERS = ['repeats', 'resumes'] as const;
export type CallerConduct = (typeof CALLERS)[number];

/** How often a caller tries on. */
export const CALLER_TRIES = 2;

/** UPLOAD_TIMEOUT_MS of all cells: a busy machine has time for every attempt of a fault that passes. */
export const RANGE_BUDGET_MS = 15_000;
/** What is answered when the budget is spent. */
export const OUT_OF_TIME: Refusal = '504 TimedOut';

export interface Cell {
  readonly fault: RangeFault;
  readonly piece: Piece;
  readonly caller: CallerConduct;
}

const WHOLE: Outcome = { isWhole: true, refusals: [] };

function wholeAfter(...refusals: readonly Refusal[]): Outcome {
  return { isWhole: true, refusals };
}

function nothing(refusal: Refusal): Outcome {
  return { isWhole: false, refusals: [refusal] };
}

/** Answered at each try. */
const GONE = nothing('404 ErrorItemNotFound');

/** Played once, the proxy sends the piece again; what lasts is relayed. */
function passing(name: string, fault: string, lasting: Refusal): RangeFault[] {
  return [
    unheard(`${name}, once`, fault),
    { name: `${name}, lasting`, id: `error=${fault}`, isIdle: true, outcome: nothing(lasting) },
  ];
}

/** Graph asks for more time than there is: the caller hears that, and comes back. */
function asksForMore(status: 429 | 503, code: string): RangeFault {
  const id = `error=status${status};retry-after=9999`;
  const refusal = `${status} ${code}` as const;
  return { name: `${status}, Retry-After: 9999, once`, id, times: 1, outcome: wholeAfter(refusal) };
}

/** The answer does not come, and the caller hangs up. */
function hungUpOn(name: string, fault: string): RangeFault {
  const outcome = wholeAfter('499 CallerDisconnected');
  return {
    name: `${name}; the caller hangs up`,
    id: `error=${fault}`,
    times: 1,
    isHungUpOn: true,
    ...idle(fault),
    outcome,
  };
}

/** Of what meets one attempt, nobody hears. */
function unheard(name: string, fault: string): RangeFault {
  return { name, id: `error=${fault}`, times: 1, ...idle(fault), outcome: WHOLE };
}

function idle(fault: string): Pick<RangeFault, 'isIdle'> {
  return fault.startsWith('hang') ? { isIdle: true } : {};
}

export const RANGE_FAULTS: readonly RangeFault[] = [
  { name: 'no fault', id: 'none', outcome: WHOLE },
  ...passing('429', 'status429;retry-after=none', '429 ApplicationThrottled'),
  { name: '429, Retry-After: 1, once', id: 'error=status429;retry-after=1', times: 1, outcome: WHOLE },
  asksForMore(429, 'ApplicationThrottled'),
  ...passing('503', 'status503', '503 serviceNotAvailable'),
  asksForMore(503, 'serviceNotAvailable'),
  unheard('503, though the bytes were taken', 'status503AfterCommit'),
  ...passing('504', 'status504', '504 UnknownError'),
  ...passing('500', 'status500', '502 GraphAnswerInvalid'),
  ...passing('412, another writer', 'status412', '412 ErrorIrresolvableConflict'),
  ...passing('page of a gateway with 200', 'html', '502 GraphAnswerInvalid'),
  ...passing('reset before the bytes are taken', 'resetBeforeHeaders', '502 GraphUnreachable'),
  ...passing('reset in the middle of the piece', 'resetMidBody', '502 GraphUnreachable'),
  unheard('reset after the bytes are taken', 'resetAfterCommit'),
  unheard('reset within the answer', 'resetAfterHeaders'),
  unheard('answer cut off', 'truncated'),
  ...passing('hang', 'hangBeforeHeaders', '504 TimedOut'),
  unheard('hang after the bytes are taken', 'hangAfterCommit'),
  unheard('hang within the answer', 'hangInBody'),
  hungUpOn('hang', 'hangBeforeHeaders'),
  hungUpOn('hang after the bytes are taken', 'hangAfterCommit'),
  { name: '401, once', id: 'error=status401', times: 1, outcome: wholeAfter('502 GraphRejectedToken') },
  { name: '401, lasting', id: 'error=status401', outcome: nothing('502 GraphRejectedToken') },
  { name: 'session expired (401)', id: 'error=expired', outcome: nothing('502 GraphRejectedToken') },
  {
    name: 'session gone (404), once',
    id: 'error=sessionGone',
    times: 1,
    outcome: { first: WHOLE, middle: GONE, last: GONE },
  },
  { name: 'To Do: 401, once', id: 'error=status401', times: 1, isTask: true, outcome: WHOLE },
  { name: 'To Do: 401, lasting', id: 'error=status401', isTask: true, outcome: nothing('502 GraphRejectedToken') },
  { ...unheard('To Do: reset after the bytes are taken', 'resetAfterCommit'), isTask: true },
  {
    name: 'To Do: session expired (404), once',
    id: 'error=expired',
    times: 1,
    isTask: true,
    outcome: { first: WHOLE, middle: GONE, last: GONE },
  },
  { name: 'item not found at first, twice', id: 'error=notFoundAtFirst', times: 2, outcome: { first: WHOLE } },
  { name: 'item not found at first, lasting', id: 'error=notFoundAtFirst', outcome: { first: GONE } },
  { name: '413 message size', id: 'error=status413MessageSize', outcome: nothing('413 ErrorMessageSizeExceeded') },
  { name: '400 message size', id: 'error=status400MessageSize', outcome: nothing('400 ErrorMessageSizeExceeded') },
  { name: 'page of a gateway with 413', id: 'error=html413', outcome: nothing('413 GraphRefused') },
];

/** Undefined where the fault cannot happen at that piece. */
export function outcomeOf({ outcome }: RangeFault, piece: Piece): Outcome | undefined {
  return 'isWhole' in outcome ? outcome : outcome[piece];
}

export const EVERY_CELL: readonly Cell[] = RANGE_FAULTS.flatMap((fault) =>
  PIECES.flatMap((piece) =>
    outcomeOf(fault, piece) === undefined ? [] : CALLERS.map((caller) => ({ fault, piece, caller })),
  ),
);

const SAMPLE_NAMES: readonly string[] = [
  ...['no fault', '503, once', '503, though the bytes were taken', 'reset in the middle of the piece', '401, once'],
  ...['429, Retry-After: 9999, once', 'session gone (404), once', '413 message size'],
];

/** What `npm test` plays: of each kind, cells that need not wait for the end of their time. */
export const SAMPLE: readonly Cell[] = EVERY_CELL.filter(({ fault }) => SAMPLE_NAMES.includes(fault.name));
