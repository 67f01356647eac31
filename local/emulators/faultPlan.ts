import { FAULTS, type FaultBehaviour, type FaultName, isFaultName } from './faults.ts';

/** `create` is the call that opens a session, `upload` a PUT or DELETE of one. */
export type FaultPoint = 'create' | 'upload';

/** A fault to be played now. `retryAfter` is a number of seconds, `none`, `date` (2 s ahead) or `garbage`. */
export interface ActiveFault {
  readonly name: FaultName;
  readonly behaviour: FaultBehaviour;
  readonly retryAfter?: string;
  readonly msPerByte: number;
}

export interface PlayRequest {
  readonly fault: FaultName;
  /** How many calls fail; default 1, or without end when `rate` is given. */
  readonly times?: number;
  /** Probability that a call fails, 0 to 1; default 1. */
  readonly rate?: number;
  readonly on?: FaultPoint;
  readonly retryAfter?: string;
  readonly ms?: number;
}

export interface FaultPlan {
  play(request: PlayRequest): void;
  /** The fault for a call whose path holds these decoded ids. Throws FaultIdError when an id asks for one that does not exist. */
  take(ids: readonly string[], point: FaultPoint): ActiveFault | undefined;
  takeHandshake(): boolean;
  reset(): void;
}

export class FaultIdError extends Error {
  override readonly name = 'FaultIdError';
}

const DEFAULT_MS_PER_BYTE = 50;
const RETRY_AFTER = /^(none|date|garbage|\d{1,9})$/;
const ID_PREFIX = 'fault=';

export function isFaultId(id: string): boolean {
  return id.startsWith(ID_PREFIX);
}

/** `seed` makes the draws for `rate` repeat from run to run. */
export function createFaultPlan(seed: number): FaultPlan {
  let queue: (PlayRequest & { left: number })[] = [];
  let timesTaken = new Map<string, number>();
  let random = seededRandom(seed);

  function draw(point: FaultPoint, handshake: boolean): ActiveFault | undefined {
    for (const entry of queue) {
      const inHandshake = entry.fault === 'tlsReset';
      if (inHandshake !== handshake || (!handshake && (entry.on ?? 'create') !== point)) continue;
      if (entry.rate !== undefined && random() >= entry.rate) continue;
      entry.left -= 1;
      if (entry.left <= 0) queue = queue.filter((other) => other !== entry);
      return active(entry);
    }
    return undefined;
  }

  function takeById(id: string, point: FaultPoint): ActiveFault | undefined {
    const { request, times } = parseFaultId(id);
    if ((request.on ?? 'create') !== point) return undefined;
    const taken = timesTaken.get(id) ?? 0;
    if (taken >= times) return undefined;
    if (times !== Number.POSITIVE_INFINITY) timesTaken.set(id, taken + 1);
    return active(request);
  }

  return {
    play(request) {
      queue.push({ ...request, left: request.times ?? (request.rate === undefined ? 1 : Number.POSITIVE_INFINITY) });
    },
    take(ids, point) {
      const id = ids.find(isFaultId);
      return (id === undefined ? undefined : takeById(id, point)) ?? draw(point, false);
    },
    takeHandshake: () => draw('create', true) !== undefined,
    reset() {
      queue = [];
      timesTaken = new Map();
      random = seededRandom(seed);
    },
  };
}

function active(request: PlayRequest): ActiveFault {
  const base = {
    name: request.fault,
    behaviour: FAULTS[request.fault],
    msPerByte: request.ms ?? DEFAULT_MS_PER_BYTE,
  };
  const fault = { ...base, behaviour: base.behaviour.behaviour };
  return request.retryAfter === undefined ? fault : { ...fault, retryAfter: request.retryAfter };
}

/** `fault=<name>[;times=<n>][;on=create|upload][;retry-after=<n|none|date|garbage>][;ms=<n>][;nonce=<anything>]` */
function parseFaultId(id: string): { request: PlayRequest; times: number } {
  const parameters = new Map(
    id.split(';').map((part) => {
      const at = part.indexOf('=');
      return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
    }),
  );
  const fault = parameters.get('fault') ?? '';
  if (!isFaultName(fault)) throw new FaultIdError(`No fault '${fault}'. Known: ${Object.keys(FAULTS).join(', ')}.`);
  if (fault === 'tlsReset') throw new FaultIdError("'tlsReset' happens before an id is sent: ask for it with play().");
  const unknown = [...parameters.keys()].find(
    (name) => !['fault', 'times', 'on', 'retry-after', 'ms', 'nonce'].includes(name),
  );
  if (unknown !== undefined) throw new FaultIdError(`A fault has no parameter '${unknown}'.`);
  const retryAfter = parameters.get('retry-after');
  if (retryAfter !== undefined && !RETRY_AFTER.test(retryAfter)) {
    throw new FaultIdError('retry-after is a number of seconds, none, date or garbage.');
  }
  const on = parameters.get('on') ?? 'create';
  if (on !== 'create' && on !== 'upload') throw new FaultIdError('on is create or upload.');
  const ms = count(parameters, 'ms');
  return {
    times: count(parameters, 'times') ?? Number.POSITIVE_INFINITY,
    request: {
      fault,
      on,
      ...(retryAfter === undefined ? {} : { retryAfter }),
      ...(ms === undefined ? {} : { ms }),
    },
  };
}

function count(parameters: ReadonlyMap<string | undefined, string | undefined>, name: string): number | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new FaultIdError(`${name} is a whole number.`);
  return Number(text);
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
