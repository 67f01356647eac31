import { FAULTS, type Fault, type FaultName, isFaultName } from './faults.ts';
import {
  isUploadFaultName,
  type PieceChoice,
  UPLOAD_FAULTS,
  type UploadFault,
  type UploadFaultName,
} from './uploadFaults.ts';

/**
 * `create` is the call that opens a session, `upload` any call to an uploadUrl, `attach` the POST of an attachment, `read` a
 * GET of an item or its attachments.
 */
export type FaultPoint = 'create' | 'upload' | 'attach' | 'read';
const POINTS: readonly string[] = ['create', 'upload', 'attach', 'read'] satisfies FaultPoint[];

/** What is asked for: by code, or by an item's id. */
export interface PlayRequest {
  readonly fault: FaultName | UploadFaultName;
  /** How many calls fail. By code: 1, or without end when `rate` is given. By id: without end. */
  readonly times?: number;
  /** Probability that a call fails, 0 to 1; default 1. */
  readonly rate?: number;
  /** Default: `upload` for a fault of uploads and where `piece` is given, else `create`. */
  readonly on?: FaultPoint;
  readonly piece?: PieceChoice;
  readonly retryAfter?: string;
  readonly ms?: number;
}

/** A request that asks for what there is not. */
export class FaultRequestError extends Error {
  override readonly name = 'FaultRequestError';
}

const RETRY_AFTER = /^(none|date|garbage|\d{1,9})$/;
const ID_PREFIX = 'fault=';
const PARAMETERS = ['fault', 'times', 'on', 'piece', 'retry-after', 'ms', 'nonce'];

export function isFaultId(id: string): boolean {
  return id.startsWith(ID_PREFIX);
}

export function faultOf(name: FaultName | UploadFaultName): Fault & Pick<UploadFault, 'piece'> {
  return isUploadFaultName(name) ? UPLOAD_FAULTS[name] : FAULTS[name];
}

export function pointOf({ fault, on, piece }: PlayRequest): FaultPoint {
  return on ?? (piece !== undefined || isUploadFaultName(fault) ? 'upload' : 'create');
}

/** Throws FaultRequestError for a fault at a place where it cannot happen. */
export function checkPlayRequest(request: PlayRequest): void {
  if (pointOf(request) === 'upload') return;
  if (request.piece !== undefined) throw new FaultRequestError('piece goes with on=upload.');
  const { behaviour } = faultOf(request.fault);
  if (behaviour.kind === 'session' || (behaviour.kind === 'reset' && behaviour.at === 'inRequestBody')) {
    throw new FaultRequestError(`'${request.fault}' goes with on=upload.`);
  }
}

/**
 * Reads `fault=<name>[;times=<n>][;on=<point>][;piece=<first|middle|last|n>][;retry-after=<n|none|date|garbage>][;ms=<n>]
 * [;nonce=<anything>]`. Throws FaultRequestError.
 */
export function parseFaultId(id: string): PlayRequest {
  const parameters = new Map(
    id.split(';').map((part): [string, string] => {
      const at = part.indexOf('=');
      return at < 0 ? [part, ''] : [part.slice(0, at), part.slice(at + 1)];
    }),
  );
  const unknown = [...parameters.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) throw new FaultRequestError(`A fault has no parameter '${unknown}'.`);
  const request: PlayRequest = {
    fault: readName(parameters.get('fault') ?? ''),
    ...given('times', readCount(parameters, 'times')),
    ...given('ms', readCount(parameters, 'ms')),
    ...given('on', readPoint(parameters.get('on'))),
    ...given('piece', readPiece(parameters.get('piece'))),
    ...given('retryAfter', readRetryAfter(parameters.get('retry-after'))),
  };
  checkPlayRequest(request);
  return request;
}

function readName(name: string): FaultName | UploadFaultName {
  if (name === 'tlsReset') {
    throw new FaultRequestError("'tlsReset' happens before an id is sent: ask for it with play().");
  }
  if (isFaultName(name) || isUploadFaultName(name)) return name;
  const known = Object.keys({ ...FAULTS, ...UPLOAD_FAULTS }).join(', ');
  throw new FaultRequestError(`No fault '${name}'. Known: ${known}.`);
}

function readPoint(text: string | undefined): FaultPoint | undefined {
  if (text === undefined || isPoint(text)) return text;
  throw new FaultRequestError(`on is one of ${POINTS.join(', ')}.`);
}

function isPoint(text: string): text is FaultPoint {
  return POINTS.includes(text);
}

function readPiece(text: string | undefined): PieceChoice | undefined {
  if (text === undefined || text === 'first' || text === 'middle' || text === 'last') return text;
  if (!/^\d{1,9}$/.test(text)) throw new FaultRequestError('piece is first, middle, last or a number counted from 0.');
  return Number(text);
}

function readRetryAfter(text: string | undefined): string | undefined {
  if (text === undefined || RETRY_AFTER.test(text)) return text;
  throw new FaultRequestError('retry-after is a number of seconds, none, date or garbage.');
}

function readCount(parameters: ReadonlyMap<string, string>, name: 'times' | 'ms'): number | undefined {
  const text = parameters.get(name);
  if (text === undefined) return undefined;
  if (!/^\d{1,9}$/.test(text)) throw new FaultRequestError(`${name} is a whole number.`);
  return Number(text);
}

/** The member, unless there is no value for it. */
function given<Name extends string, Value>(name: Name, value: Value | undefined): { [name in Name]?: Value } | object {
  return value === undefined ? {} : { [name]: value };
}
