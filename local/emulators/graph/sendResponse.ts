import { Readable } from 'node:stream';
import type { ActiveError } from '../errors/errorPlan.ts';
import { replacement, reshape, retryAfterHeader, type Speaker, withHeader } from './errorResponse.ts';
import { type GraphResponse, graphHeaders } from './graphResponse.ts';
import type { RequestContext } from './requestContext.ts';

/** A fault to be played in place of the right answer, or on it. */
export interface Played {
  readonly error: ActiveError;
  readonly speaker: Speaker;
  /** Epoch milliseconds. */
  readonly now: number;
}

const HUGE_BODY_BLOCKS = 320;
const HUGE_BODY_BLOCK = 'x'.repeat(65_536);
/** Time for the bytes before a reset to arrive; a reset overtakes what is still under way. */
const SETTLE_MS = 20;

/** Sends what `compute` gives, and records it. A fault that replaces the answer leaves `compute` uncalled: nothing was done. */
export function sendResponse(exchange: RequestContext, compute: () => GraphResponse, played?: Played): void {
  const { response, record } = exchange;
  if (response.destroyed) return;
  if (played === undefined) sendWhole(exchange, compute());
  else {
    record.error = played.error.name;
    playError(exchange, compute, played);
  }
  if (response.headersSent) record.status = response.statusCode;
}

function playError(
  exchange: RequestContext,
  compute: () => GraphResponse,
  { error: fault, speaker, now }: Played,
): void {
  const { behaviour } = fault;
  switch (behaviour.kind) {
    case 'error':
    case 'replace':
    case 'redirect':
      if (behaviour.kind === 'error' && behaviour.afterCommit) compute();
      sendWhole(exchange, replacement(exchange.ids, behaviour, speaker, retryAfterHeader(fault, now)));
      break;
    case 'hang':
      if (behaviour.at === 'inBody') sendHalf(exchange, compute(), () => {});
      if (behaviour.at === 'afterCommit') compute();
      break;
    case 'reset':
      if (behaviour.at === 'afterHeaders') sendHalf(exchange, compute(), () => exchange.cut('reset'));
      else {
        if (behaviour.at === 'afterCommit') compute();
        exchange.cut('reset');
      }
      break;
    case 'truncated':
      sendHalf(exchange, compute(), () => exchange.cut('end'));
      break;
    case 'slowDrip':
      drip(exchange, compute(), fault.msPerByte);
      break;
    case 'hugeBody':
      sendHuge(exchange);
      break;
    case 'header':
      sendWhole(exchange, withHeader(compute(), behaviour.name, behaviour.value));
      break;
    case 'reshape':
      sendWhole(exchange, reshape(compute(), behaviour.as));
      break;
    case 'session':
      sendWhole(exchange, compute());
      break;
  }
}

function sendWhole(exchange: RequestContext, { status, headers, body }: GraphResponse): void {
  // Graph sends its bodies chunked.
  const framing = body === '' ? (status === 204 ? {} : { 'Content-Length': '0' }) : { 'Transfer-Encoding': 'chunked' };
  exchange.leave();
  exchange.response.writeHead(status, { ...headers, ...framing });
  exchange.response.end(body);
}

/** Of an answer without a body, the headers are the half that is missing. */
function sendHalf({ response }: RequestContext, answer: GraphResponse, then: () => void): void {
  if (answer.body === '') {
    setTimeout(then, SETTLE_MS);
    return;
  }
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, { ...answer.headers, 'Content-Length': String(body.length) });
  response.write(body.subarray(0, body.length / 2), () => setTimeout(then, SETTLE_MS));
}

function drip({ response }: RequestContext, answer: GraphResponse, msPerByte: number): void {
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, { ...answer.headers, 'Content-Length': String(body.length) });
  response.flushHeaders();
  let sent = 0;
  const timer = setInterval(() => {
    response.write(body.subarray(sent, sent + 1));
    sent += 1;
    if (sent >= body.length) response.end();
  }, msPerByte);
  response.once('close', () => clearInterval(timer));
  response.once('finish', () => clearInterval(timer));
}

function sendHuge({ response, ids }: RequestContext): void {
  response.writeHead(201, { ...graphHeaders(ids), 'Content-Type': 'application/json' });
  const parts = function* () {
    yield '{"@odata.context":"';
    for (let block = 0; block < HUGE_BODY_BLOCKS; block += 1) yield HUGE_BODY_BLOCK;
    yield '","uploadUrl":"https://outlook.office.com/","nextExpectedRanges":["0-"]}';
  };
  Readable.from(parts()).pipe(response);
}
