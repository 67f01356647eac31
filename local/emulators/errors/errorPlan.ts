import {
  checkPlayRequest,
  isErrorId,
  namedError,
  type PlayPoint,
  type PlayRequest,
  parseErrorId,
  pointOf,
} from './errorRequest.ts';
import type { ErrorBehaviour } from './namedErrors.ts';
import type { ChunkChoice } from './uploadErrors.ts';

/** A call on which a fault may be played. */
export interface PlayableCall {
  readonly point: PlayPoint;
  /** The decoded ids of its path. */
  readonly ids: readonly string[];
  /** Where a PUT to an uploadUrl stands. */
  readonly chunk?: ChunkPlace;
}

export interface ChunkPlace {
  /** Number of the PUT within its session, from 0. */
  readonly index: number;
  /** A file that goes up in one piece is first and last at once; a range that cannot be read has no place. */
  readonly places: readonly ChunkChoice[];
}

/** A fault to be played now. `retryAfter` is a number of seconds, `none`, `date` (2 s ahead) or `garbage`. */
export interface ActiveError {
  readonly name: PlayRequest['error'];
  readonly behaviour: ErrorBehaviour;
  readonly retryAfter?: string;
  readonly msPerByte: number;
}

export interface ErrorPlan {
  /** Throws FaultRequestError for a fault at a place where it cannot happen. */
  play(request: PlayRequest): void;
  /** The fault for a call. Throws FaultRequestError when an id asks for one that does not exist. */
  take(call: PlayableCall): ActiveError | undefined;
  takeHandshake(): boolean;
  reset(): void;
}

const DEFAULT_MS_PER_BYTE = 50;

/** `seed` makes the draws for `rate` repeat from run to run. */
export function createErrorPlan(seed: number): ErrorPlan {
  let queue: (PlayRequest & { left: number })[] = [];
  let timesTaken = new Map<string, number>();
  let random = seededRandom(seed);

  function draw(isAsked: (request: PlayRequest) => boolean): ActiveError | undefined {
    for (const entry of queue) {
      if (!isAsked(entry) || (entry.rate !== undefined && random() >= entry.rate)) continue;
      entry.left -= 1;
      if (entry.left <= 0) queue = queue.filter((other) => other !== entry);
      return activate(entry);
    }
    return undefined;
  }

  function takeById(id: string, call: PlayableCall): ActiveError | undefined {
    const request = parseErrorId(id);
    if (!isMeant(request, call)) return undefined;
    const taken = timesTaken.get(id) ?? 0;
    if (taken >= (request.times ?? Number.POSITIVE_INFINITY)) return undefined;
    if (request.times !== undefined) timesTaken.set(id, taken + 1);
    return activate(request);
  }

  return {
    play(request) {
      checkPlayRequest(request);
      queue.push({ ...request, left: request.times ?? (request.rate === undefined ? 1 : Number.POSITIVE_INFINITY) });
    },
    take(call) {
      const id = call.ids.find(isErrorId);
      return (
        (id === undefined ? undefined : takeById(id, call)) ??
        draw((request) => request.error !== 'tlsReset' && isMeant(request, call))
      );
    },
    takeHandshake: () => draw(({ error: fault }) => fault === 'tlsReset') !== undefined,
    reset() {
      queue = [];
      timesTaken = new Map();
      random = seededRandom(seed);
    },
  };
}

function isMeant(request: PlayRequest, { point, chunk: piece }: PlayableCall): boolean {
  if (pointOf(request) !== point) return false;
  const choice = request.chunk ?? namedError(request.error).chunk;
  if (choice === undefined) return true;
  return piece !== undefined && (piece.index === choice || piece.places.includes(choice));
}

function activate(request: PlayRequest): ActiveError {
  const fault = {
    name: request.error,
    behaviour: namedError(request.error).behaviour,
    msPerByte: request.ms ?? DEFAULT_MS_PER_BYTE,
  };
  return request.retryAfter === undefined ? fault : { ...fault, retryAfter: request.retryAfter };
}

/** mulberry32: small, and the same numbers for the same seed. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}
