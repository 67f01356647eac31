/** The error matrix of opening a session as data: what Graph does × how the token fares × how much time there is. */

export type RetryAfter = 'none' | '0' | '2' | '9999' | 'date' | 'garbage';

/** What reaches the proxy from Graph, as far as the proxy must distinguish it. */
export type GraphConduct =
  | { readonly kind: 'session' }
  /** An error in Graph's own shape. */
  | { readonly kind: 'graphError'; readonly status: number; readonly code: string; readonly retryAfter?: RetryAfter }
  /** An error page of a gateway, without Graph's shape. */
  | { readonly kind: 'page'; readonly status: number; readonly retryAfter?: RetryAfter }
  /** 2xx or 3xx that holds no uploadSession. */
  | { readonly kind: 'noSession' }
  | { readonly kind: 'silence' }
  /** The right answer, which takes longer than the short budget and less than the long one. */
  | { readonly kind: 'slowSession' }
  | { readonly kind: 'brokenOff'; readonly at: 'beforeAnswer' | 'withinAnswer' };

export interface FaultCase {
  /** As the error matrix names it. */
  readonly name: string;
  /** The item id that makes the emulator play it (local/README.md), without its nonce. */
  readonly id: string;
  readonly conduct: GraphConduct;
}

export const TOKENS = ['fine', 'slow', 'failing', 'expiring'] as const;
export type TokenCondition = (typeof TOKENS)[number];

/** REQUEST_TIMEOUT_MS of the cells. In the long one a busy machine has time for every attempt. */
export const BUDGETS_MS = { short: 1500, long: 12_000 } as const;
export type Budget = keyof typeof BUDGETS_MS;
export const BUDGETS: readonly Budget[] = ['short', 'long'];

/** Longer than the short budget; of the long one it leaves enough for retries after two seconds. */
export const SLOW_TOKEN_MS = 2500;

/** Graph takes this long to refuse a token that has ended, so that all cells under way carry it. */
export const REFUSAL_MS = 200;

export interface Cell {
  readonly fault: FaultCase;
  readonly token: TokenCondition;
  readonly budget: Budget;
}

const RETRY_AFTERS: readonly RetryAfter[] = ['none', '0', '2', '9999', 'date', 'garbage'];

function graphError(status: number, code: string): FaultCase {
  return { name: String(status), id: `error=status${status}`, conduct: { kind: 'graphError', status, code } };
}

function throttling(status: number, code: string): FaultCase[] {
  return RETRY_AFTERS.map((retryAfter) => ({
    name: `${status}, Retry-After: ${retryAfter}`,
    id: `error=status${status};retry-after=${retryAfter}`,
    conduct: { kind: 'graphError', status, code, retryAfter },
  }));
}

function page(status: number): FaultCase {
  return { name: `HTML with ${status}`, id: `error=html${status}`, conduct: { kind: 'page', status } };
}

function noSession(name: string, fault: string): FaultCase {
  return { name, id: `error=${fault}`, conduct: { kind: 'noSession' } };
}

export const FAULT_CASES: readonly FaultCase[] = [
  { name: 'no fault', id: 'none', conduct: { kind: 'session' } },
  ...throttling(429, 'ApplicationThrottled'),
  ...throttling(503, 'serviceNotAvailable'),
  ...throttling(504, 'UnknownError'),
  graphError(500, 'InternalServerError'),
  graphError(502, 'BadGateway'),
  graphError(401, 'InvalidAuthenticationToken'),
  graphError(403, 'ErrorAccessDenied'),
  graphError(404, 'ErrorItemNotFound'),
  graphError(409, 'Conflict'),
  noSession('redirect', 'redirect'),
  { name: 'hang before headers', id: 'error=hangBeforeHeaders', conduct: { kind: 'silence' } },
  { name: 'hang in body', id: 'error=hangInBody', conduct: { kind: 'silence' } },
  {
    name: 'reset before headers',
    id: 'error=resetBeforeHeaders',
    conduct: { kind: 'brokenOff', at: 'beforeAnswer' },
  },
  { name: 'reset after headers', id: 'error=resetAfterHeaders', conduct: { kind: 'brokenOff', at: 'withinAnswer' } },
  { name: 'truncated', id: 'error=truncated', conduct: { kind: 'brokenOff', at: 'withinAnswer' } },
  noSession('HTML with 200', 'html'),
  page(413),
  page(429),
  page(502),
  page(503),
  noSession('empty', 'empty'),
  noSession('not JSON', 'notJson'),
  noSession('no uploadUrl', 'noUploadUrl'),
  { name: 'slow drip', id: 'error=slowDrip;ms=8', conduct: { kind: 'slowSession' } },
];

export interface Selection {
  readonly faults: readonly FaultCase[];
  readonly budgets: readonly Budget[];
  readonly tokens: readonly TokenCondition[];
}

export const EVERY_CELL: Selection = { faults: FAULT_CASES, budgets: BUDGETS, tokens: TOKENS };

const SAMPLE_NAMES: readonly string[] = [
  ...['no fault', '429, Retry-After: 0', '503, Retry-After: 9999', '401', '404'],
  ...['reset before headers', 'truncated', 'HTML with 502', 'no uploadUrl'],
];

/** Cells of each kind that need not wait for the end of their time. */
export const SAMPLE: Selection = {
  faults: FAULT_CASES.filter(({ name }) => SAMPLE_NAMES.includes(name)),
  budgets: ['long'],
  tokens: ['fine', 'failing', 'expiring'],
};
