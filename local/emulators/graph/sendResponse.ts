import { Readable } from 'node:stream';
import type { ActiveError } from '../errors/errorPlan.ts';
import { errorResponse, GraphError, type GraphResponse, graphHeaders, type Service } from './graphResponse.ts';
import { altered, replacement } from './playedResponse.ts';
import type { RequestContext } from './requestLog.ts';

const HUGE_BODY_BLOCKS = 320;
const HUGE_BODY_BLOCK = 'x'.repeat(65_536);
/** A reset overtakes bytes that are still on the way; this is the time for them to arrive. */
const SETTLE_MS = 20;

/** Sends and records the result of `compute`, or an error. If an error replaces the response, the call has no effect. */
export function sendResponse(
  context: RequestContext,
  service: Service,
  compute: () => GraphResponse,
  played?: ActiveError,
): void {
  const { response, record, ids } = context;
  if (response.destroyed) return;
  const respond = () => {
    try {
      return compute();
    } catch (error) {
      if (error instanceof GraphError) return errorResponse(ids, service, error);
      throw error;
    }
  };
  if (played === undefined) sendComplete(context, respond());
  else playError(context, service, respond, played);
  if (response.headersSent) record.status = response.statusCode;
}

function playError(context: RequestContext, service: Service, compute: () => GraphResponse, played: ActiveError): void {
  const { behaviour, msPerByte } = played;
  context.record.error = played.name;
  if ('at' in behaviour && behaviour.at === 'afterCommit') compute();
  switch (behaviour.kind) {
    case 'error':
    case 'replace':
    case 'redirect':
      if (behaviour.kind === 'error' && behaviour.afterCommit) compute();
      sendComplete(context, replacement(context.ids, service, behaviour, played));
      break;
    case 'hang':
      if (behaviour.at === 'inBody') sendHalf(context, compute(), () => {});
      break;
    case 'reset':
      if (behaviour.at === 'afterHeaders') sendHalf(context, compute(), () => context.abort('reset'));
      else context.abort('reset');
      break;
    case 'truncated':
      sendHalf(context, compute(), () => context.abort('end'));
      break;
    case 'slowDrip':
      drip(context, compute(), msPerByte);
      break;
    case 'hugeBody':
      sendHuge(context);
      break;
    case 'header':
    case 'reshape':
      sendComplete(context, altered(compute(), behaviour));
      break;
    case 'session':
      sendComplete(context, compute());
      break;
  }
}

function sendComplete(context: RequestContext, { status, headers, body }: GraphResponse): void {
  // Graph sends its bodies chunked.
  const framing = body === '' ? (status === 204 ? {} : { 'Content-Length': '0' }) : { 'Transfer-Encoding': 'chunked' };
  context.leave();
  context.response.writeHead(status, { ...headers, ...framing });
  context.response.end(body);
}

/** Sends the headers and half of the body; nothing if there is no body. */
function sendHalf({ response }: RequestContext, { status, headers, body }: GraphResponse, then: () => void): void {
  if (body === '') {
    setTimeout(then, SETTLE_MS);
    return;
  }
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, 'Content-Length': String(bytes.length) });
  response.write(bytes.subarray(0, bytes.length / 2), () => setTimeout(then, SETTLE_MS));
}

function drip({ response }: RequestContext, { status, headers, body }: GraphResponse, msPerByte: number): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { ...headers, 'Content-Length': String(bytes.length) });
  response.flushHeaders();
  let sent = 0;
  const timer = setInterval(() => {
    response.write(bytes.subarray(sent, sent + 1));
    sent += 1;
    if (sent >= bytes.length) response.end();
  }, msPerByte);
  for (const event of ['close', 'finish']) response.once(event, () => clearInterval(timer));
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
