import {
  checkPlayRequest,
  isErrorId,
  type PlayPoint,
  type PlayRequest,
  parseErrorId,
  pointOf,
} from './errorRequest.ts';
import { type ChunkChoice, type ErrorBehaviour, type ErrorName, namedError } from './namedErrors.ts';

/** A call that an error may replace. */
export interface PlayableCall {
  readonly point: PlayPoint;
  /** The decoded ids of its path. */
  readonly ids: readonly string[];
  /** Of a PUT to an uploadUrl. */
  readonly chunk?: ChunkPlace | undefined;
}

export interface ChunkPlace {
  /** Number of the PUT within its session, from 0. */
  readonly index: number;
  /** A file sent in one chunk is both first and last; an invalid range has no place. */
  readonly places: readonly ChunkChoice[];
}

/** An error to play now. `retryAfter` is a number of seconds, `none`, `date` (2 s ahead) or `garbage`. */
export interface ActiveError {
  readonly name: ErrorName;
  readonly behaviour: ErrorBehaviour;
  readonly retryAfter: string | undefined;
  readonly msPerByte: number;
}

export type ErrorPlan = ReturnType<typeof createErrorPlan>;

const DEFAULT_MS_PER_BYTE = 50;

/** `seed` makes the draws for `rate` repeat from run to run. */
export function createErrorPlan(seed: number) {
  let queue: (PlayRequest & { left: number })[] = [];
  let timesTaken = new Map<string, number>();
  let random = seededRandom(seed);

  function draw(isWanted: (request: PlayRequest) => boolean): ActiveError | undefined {
    for (const entry of queue) {
      if (!isWanted(entry) || (entry.rate !== undefined && random() >= entry.rate)) continue;
      entry.left -= 1;
      if (entry.left <= 0) queue = queue.filter((other) => other !== entry);
      return activate(entry);
    }
    return undefined;
  }

  function takeById(id: string, call: PlayableCall): ActiveError | undefined {
    const request = parseErrorId(id);
    if (!applies(request, call)) return undefined;
    const taken = timesTaken.get(id) ?? 0;
    if (taken >= (request.times ?? Number.POSITIVE_INFINITY)) return undefined;
    if (request.times !== undefined) timesTaken.set(id, taken + 1);
    return activate(request);
  }

  return {
    /** @throws PlayRequestError if the error cannot happen on such a call */
    play(request: PlayRequest): void {
      checkPlayRequest(request);
      queue.push({ ...request, left: request.times ?? (request.rate === undefined ? 1 : Number.POSITIVE_INFINITY) });
    },
    /** The error of a call. @throws PlayRequestError if an id names one that does not exist */
    take(call: PlayableCall): ActiveError | undefined {
      const id = call.ids.find(isErrorId);
      return (
        (id === undefined ? undefined : takeById(id, call)) ??
        draw((request) => request.error !== 'tlsReset' && applies(request, call))
      );
    },
    takeHandshake: () => draw(({ error }) => error === 'tlsReset') !== undefined,
    reset(): void {
      queue = [];
      timesTaken = new Map();
      random = seededRandom(seed);
    },
  };
}

function applies(request: PlayRequest, { point, chunk }: PlayableCall): boolean {
  if (pointOf(request) !== point) return false;
  const choice = request.chunk ?? namedError(request.error).chunk;
  if (choice === undefined) return true;
  return chunk !== undefined && (chunk.index === choice || chunk.places.includes(choice));
}

function activate({ error, retryAfter, ms }: PlayRequest): ActiveError {
  return { name: error, behaviour: namedError(error).behaviour, retryAfter, msPerByte: ms ?? DEFAULT_MS_PER_BYTE };
}

/** mulberry32, a small generator with a seed. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}
