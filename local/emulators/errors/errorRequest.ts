import {
  type ChunkChoice,
  type ErrorName,
  GRAPH_ERRORS,
  isErrorName,
  isUploadErrorName,
  namedError,
  UPLOAD_ERRORS,
} from './namedErrors.ts';

const POINTS = ['create', 'upload', 'attach', 'read'] as const;
const CHUNKS = ['first', 'middle', 'last'] as const;

/**
 * `create` is the call that opens a session, `upload` any call to an uploadUrl, `attach` the POST of an attachment, `read` a
 * GET of an item or its attachments.
 */
export type PlayPoint = (typeof POINTS)[number];

/** An error to play, requested by code or by an item's id. */
export interface PlayRequest {
  readonly error: ErrorName;
  /** How many calls fail. By code: 1, or without end if `rate` is given. By id: without end. */
  readonly times?: number | undefined;
  /** Probability that a call fails, 0 to 1; default 1. */
  readonly rate?: number;
  /** Default: `upload` for an upload error or if `chunk` is given, else `create`. */
  readonly on?: PlayPoint | undefined;
  readonly chunk?: ChunkChoice | undefined;
  readonly retryAfter?: string | undefined;
  readonly ms?: number | undefined;
}

/** The request names an error or a parameter that does not exist. */
export class PlayRequestError extends Error {
  override readonly name = 'PlayRequestError';
}

const ID_PREFIX = 'error=';
const NUMBER = { pattern: /^\d{1,9}$/, values: 'a whole number' };
/** The parameters of an id, after its name. */
const PARAMETERS = new Map([
  ['times', NUMBER],
  ['ms', NUMBER],
  ['on', { pattern: new RegExp(`^(${POINTS.join('|')})$`), values: `one of ${POINTS.join(', ')}` }],
  ['chunk', { pattern: /^(first|middle|last|\d{1,9})$/, values: 'first, middle, last or a number counted from 0' }],
  ['retry-after', { pattern: /^(none|date|garbage|\d{1,9})$/, values: 'a number of seconds, none, date or garbage' }],
  ['nonce', { pattern: /^/, values: 'any text' }],
]);

export function isErrorId(id: string): boolean {
  return id.startsWith(ID_PREFIX);
}

export function pointOf({ error, on, chunk }: PlayRequest): PlayPoint {
  return on ?? (chunk !== undefined || isUploadErrorName(error) ? 'upload' : 'create');
}

/** @throws PlayRequestError if the error cannot happen on such a call */
export function checkPlayRequest(request: PlayRequest): void {
  if (pointOf(request) === 'upload') return;
  if (request.chunk !== undefined) throw new PlayRequestError('chunk goes with on=upload.');
  const { behaviour } = namedError(request.error);
  if (behaviour.kind === 'session' || (behaviour.kind === 'reset' && behaviour.at === 'inRequestBody')) {
    throw new PlayRequestError(`'${request.error}' goes with on=upload.`);
  }
}

/**
 * Reads `error=<name>[;times=<n>][;on=<point>][;chunk=<first|middle|last|n>][;retry-after=<n|none|date|garbage>][;ms=<n>]
 * [;nonce=<anything>]`.
 *
 * @throws PlayRequestError
 */
export function parseErrorId(id: string): PlayRequest {
  const [nameText = '', ...texts] = id.slice(ID_PREFIX.length).split(';');
  const error = readName(nameText);
  const given = new Map(texts.map(readParameter));
  const numberOf = (name: string) => (given.has(name) ? Number(given.get(name)) : undefined);
  const request: PlayRequest = {
    error,
    times: numberOf('times'),
    ms: numberOf('ms'),
    on: POINTS.find((point) => point === given.get('on')),
    chunk: CHUNKS.find((chunk) => chunk === given.get('chunk')) ?? numberOf('chunk'),
    retryAfter: given.get('retry-after'),
  };
  checkPlayRequest(request);
  return request;
}

function readName(name: string): ErrorName {
  if (name === 'tlsReset') {
    throw new PlayRequestError("'tlsReset' happens before the client sends an id. Use play().");
  }
  if (isErrorName(name)) return name;
  const known = Object.keys({ ...GRAPH_ERRORS, ...UPLOAD_ERRORS }).join(', ');
  throw new PlayRequestError(`No error '${name}'. Known: ${known}.`);
}

function readParameter(text: string): [name: string, value: string] {
  const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(text) ?? [];
  const parameter = PARAMETERS.get(name);
  if (parameter === undefined) throw new PlayRequestError(`An error has no parameter '${name}'.`);
  if (!parameter.pattern.test(value)) throw new PlayRequestError(`${name} is ${parameter.values}.`);
  return [name, value];
}
