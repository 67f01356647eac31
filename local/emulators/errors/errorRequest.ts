import { GRAPH_ERRORS, type GraphErrorName, isGraphErrorName, type NamedError } from './namedErrors.ts';
import {
  type ChunkChoice,
  isUploadErrorName,
  UPLOAD_ERRORS,
  type UploadError,
  type UploadErrorName,
} from './uploadErrors.ts';

/**
 * `create` is the call that opens a session, `upload` any call to an uploadUrl, `attach` the POST of an attachment, `read` a
 * GET of an item or its attachments.
 */
export type PlayPoint = 'create' | 'upload' | 'attach' | 'read';
const POINTS: readonly string[] = ['create', 'upload', 'attach', 'read'] satisfies PlayPoint[];

/** What is asked for: by code, or by an item's id. */
export interface PlayRequest {
  readonly error: GraphErrorName | UploadErrorName;
  /** How many calls fail. By code: 1, or without end when `rate` is given. By id: without end. */
  readonly times?: number;
  /** Probability that a call fails, 0 to 1; default 1. */
  readonly rate?: number;
  /** Default: `upload` for a fault of uploads and where `piece` is given, else `create`. */
  readonly on?: PlayPoint;
  readonly chunk?: ChunkChoice;
  readonly retryAfter?: string;
  readonly ms?: number;
}

/** A request that asks for what there is not. */
export class PlayRequestError extends Error {
  override readonly name = 'FaultRequestError';
}

const RETRY_AFTER = /^(none|date|garbage|\d{1,9})$/;
const ID_PREFIX = 'error=';
const PARAMETERS = ['fault', 'times', 'on', 'piece', 'retry-after', 'ms', 'nonce'];

export function isErrorId(id: string): boolean {
  return id.startsWith(ID_PREFIX);
}

export function namedError(name: GraphErrorName | UploadErrorName): NamedError & Pick<UploadError, 'chunk'> {
  return isUploadErrorName(name) ? UPLOAD_ERRORS[name] : GRAPH_ERRORS[name];
}

export function pointOf({ error: fault, on, chunk: piece }: PlayRequest): PlayPoint {
  return on ?? (piece !== undefined || isUploadErrorName(fault) ? 'upload' : 'create');
}

/** Throws FaultRequestError for a fault at a place where it cannot happen. */
export function checkPlayRequest(request: PlayRequest): void {
  if (pointOf(request) === 'upload') return;
  if (request.chunk !== undefined) throw new PlayRequestError('piece goes with on=upload.');
  const { behaviour } = namedError(request.error);
  if (behaviour.kind === 'session' || (behaviour.kind === 'reset' && behaviour.at === 'inRequestBody')) {
    throw new PlayRequestError(`'${request.error}' goes with on=upload.`);
  }
}

/**
 * Reads `error=<name>[;times=<n>][;on=<point>][;chunk=<first|middle|last|n>][;retry-after=<n|none|date|garbage>][;ms=<n>]
 * [;nonce=<anything>]`. Throws FaultRequestError.
 */
export function parseErrorId(id: string): PlayRequest {
  const parameters = new Map(
    id.split(';').map((part): [string, string] => {
      const at = part.indexOf('=');
      return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
    }),
  );
  const unknown = [...parameters.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) throw new PlayRequestError(`A fault has no parameter '${unknown}'.`);
  const request: PlayRequest = {
    error: readName(parameters.get('fault') ?? ''),
    ...given('times', readCount(parameters, 'times')),
    ...given('ms', readCount(parameters, 'ms')),
    ...given('on', readPoint(parameters.get('on'))),
    ...given('piece', readPiece(parameters.get('piece'))),
    ...given('retryAfter', readRetryAfter(parameters.get('retry-after'))),
  };
  checkPlayRequest(request);
  return request;
}

function readName(name: string): GraphErrorName | UploadErrorName {
  if (name === 'tlsReset') {
    throw new PlayRequestError("'tlsReset' happens before an id is sent: ask for it with play().");
  }
  if (isGraphErrorName(name) || isUploadErrorName(name)) return name;
  const known = Object.keys({ ...GRAPH_ERRORS, ...UPLOAD_ERRORS }).join(', ');
  throw new PlayRequestError(`No fault '${name}'. Known: ${known}.`);
}

function readPoint(text: string | undefined): PlayPoint | undefined {
  if (text === undefined || isPoint(text)) return text;
  throw new PlayRequestError(`on is one of ${POINTS.join(', ')}.`);
}

function isPoint(text: string): text is PlayPoint {
  return POINTS.includes(text);
}

function readPiece(text: string | undefined): ChunkChoice | undefined {
  if (text === undefined || text === 'first' || text === 'middle' || text === 'last') return text;
  if (!/^\d{1,9}$/.test(text)) throw new PlayRequestError('piece is first, middle, last or a number counted from 0.');
  return Number(text);
}

function readRetryAfter(text: string | undefined): string | undefined {
  if (text === undefined || RETRY_AFTER.test(text)) return text;
  throw new PlayRequestError('retry-after is a number of seconds, none, date or garbage.');
}

function readCount(parameters: ReadonlyMap<string, string>, name: 'times' | 'ms'): number | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new PlayRequestError(`${name} is a whole number.`);
  return Number(text);
}

/** The member, unless there is no value for it. */
function given<Name extends string, Value>(name: Name, value: Value | undefined): { [name in Name]?: Value } | object {
  return value === undefined ? {} : { [name]: value };
}
