import { Readable } from 'node:stream';
import type { Exchange } from './exchange.ts';
import type { ActiveFault } from './faultPlan.ts';
import type { FaultBehaviour } from './faults.ts';
import { type Answer, type CallIds, graphError, graphHeaders } from './graphAnswer.ts';

const HUGE_BODY_BLOCKS = 320;
const HUGE_BODY_BLOCK = 'x'.repeat(65_536);
/** Time for the bytes before a reset to arrive; a reset overtakes what is still under way. */
const SETTLE_MS = 20;

/** Sends what `compute` gives. A fault that replaces the answer leaves `compute` uncalled: Graph did nothing. */
export function sendAnswer(
  exchange: Exchange,
  compute: () => Answer,
  fault: ActiveFault | undefined,
  now: number,
): void {
  if (fault === undefined) {
    sendWhole(exchange, compute());
    return;
  }
  const { behaviour } = fault;
  switch (behaviour.kind) {
    case 'error':
    case 'replace':
    case 'redirect':
      sendWhole(exchange, replacement(exchange.ids, behaviour, retryAfterHeader(fault, now)));
      break;
    case 'hang':
      if (behaviour.at === 'inBody') sendHalf(exchange, compute(), () => {});
      break;
    case 'reset':
      if (behaviour.at === 'afterHeaders') sendHalf(exchange, compute(), () => exchange.cut('reset'));
      else exchange.cut('reset');
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
    case 'reshape':
      sendWhole(exchange, reshape(compute(), behaviour.as));
      break;
  }
}

function sendWhole(exchange: Exchange, { status, headers, body }: Answer): void {
  // Graph sends its bodies chunked.
  const framing = body === '' ? (status === 204 ? {} : { 'Content-Length': '0' }) : { 'Transfer-Encoding': 'chunked' };
  exchange.leave();
  exchange.response.writeHead(status, { ...headers, ...framing });
  exchange.response.end(body);
}

function sendHalf({ response }: Exchange, answer: Answer, then: () => void): void {
  const body = Buffer.from(answer.body);
  response.writeHead(answer.status, { ...answer.headers, 'Content-Length': String(body.length) });
  response.write(body.subarray(0, body.length / 2), () => setTimeout(then, SETTLE_MS));
}

function drip({ response }: Exchange, answer: Answer, msPerByte: number): void {
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

function sendHuge({ response, ids }: Exchange): void {
  response.writeHead(201, { ...graphHeaders(ids), 'Content-Type': 'application/json' });
  const parts = function* () {
    yield '{"@odata.context":"';
    for (let block = 0; block < HUGE_BODY_BLOCKS; block += 1) yield HUGE_BODY_BLOCK;
    yield '","uploadUrl":"https://outlook.office.com/","nextExpectedRanges":["0-"]}';
  };
  Readable.from(parts()).pipe(response);
}

function replacement(
  ids: CallIds,
  behaviour: Extract<FaultBehaviour, { kind: 'error' | 'replace' | 'redirect' }>,
  headers: Record<string, string>,
): Answer {
  switch (behaviour.kind) {
    case 'error':
      return graphError(ids, behaviour.status, behaviour.code, behaviour.message, headers);
    case 'redirect':
      return { status: 302, headers: { ...graphHeaders(ids), Location: behaviour.location }, body: '' };
    case 'replace': {
      const { status, contentType, body, fromGraph } = behaviour;
      const type = body === '' ? {} : { 'Content-Type': contentType ?? 'application/json' };
      return { status, headers: { ...(fromGraph ? graphHeaders(ids) : {}), ...type, ...headers }, body };
    }
  }
}

function retryAfterHeader({ retryAfter, behaviour }: ActiveFault, now: number): Record<string, string> {
  const value = retryAfter ?? (behaviour.kind === 'error' ? behaviour.retryAfter : undefined);
  if (value === undefined || value === 'none') return {};
  if (value === 'garbage') return { 'Retry-After': 'soon' };
  // HTTP dates have whole seconds: rounded up, so that the moment lies ahead.
  if (value === 'date') return { 'Retry-After': new Date(Math.ceil(now / 1000) * 1000 + 2000).toUTCString() };
  return { 'Retry-After': value };
}

function reshape(answer: Answer, as: 'pascalCase' | 'value'): Answer {
  if (answer.status >= 300 || answer.body === '') return answer;
  const body: Record<string, unknown> = JSON.parse(answer.body);
  const { '@odata.context': context, ...members } = body;
  const shaped =
    as === 'value'
      ? { value: members }
      : {
          '@odata.context': context,
          ...Object.fromEntries(Object.entries(members).map(([name, value]) => [upperFirst(name), value])),
        };
  return { ...answer, body: JSON.stringify(shaped) };
}

function upperFirst(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
