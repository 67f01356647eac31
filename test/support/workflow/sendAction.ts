import { setTimeout as delay } from 'node:timers/promises';
import type { Dispatcher } from 'undici';
import { type ChunkedTransfer, ProtocolFault, transferInChunks, WHOLE_UP_TO_BYTES } from './chunkedTransfer.ts';
import { type ActionIds, authorHeaders, engineHeaders } from './engineHeaders.ts';
import { ContentFault, readContent, writeContent } from './messageContent.ts';
import type { ApiConnectionInputs, HttpInputs, WorkflowAction } from './readDefinition.ts';
import { type EngineAnswer, sendWithRetries } from './sendRequest.ts';

/** What the engine does differently from run to run, or does according to others. */
export interface EngineHabits {
  /** Default: a space, as servers have seen it. */
  readonly rangeUnit?: 'bytes ' | 'bytes=';
  /** The engine runs at least once (Azure/logicapps#1483): each request of a chunked transfer, or all of it, is sent twice. */
  readonly sendsTwice?: 'requests' | 'transfers';
}

export interface ActionContext {
  readonly ids: ActionIds;
  readonly habits: EngineHabits;
  /** The token of the workflow's identity for an audience. */
  readonly token: (audience: string) => Promise<string>;
  /** Where the connector of a connection answers. */
  readonly connectionUrl: (connection: ApiConnectionInputs['host']['connection']) => string;
  readonly dispatcher: Dispatcher;
}

export interface ActionOutcome {
  readonly status: 'Succeeded' | 'Failed' | 'Skipped';
  readonly outputs?: {
    readonly statusCode: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
  /** Where the engine itself gave up. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** Sends one action's request, or the requests of its chunked transfer. `inputs` are evaluated; the action is as it was written. */
export async function sendAction(
  action: WorkflowAction,
  inputs: unknown,
  context: ActionContext,
): Promise<ActionOutcome> {
  try {
    const answer =
      action.type === 'Http'
        ? await sendHttp(action, inputs as HttpInputs, context)
        : await sendToConnector(inputs as ApiConnectionInputs, context);
    const { statusCode, headers, bytes } = answer;
    const body = readContent(bytes, headers['content-type']);
    const outputs = { statusCode, headers: asDotNetNames(headers), body };
    return { status: statusCode < 400 ? 'Succeeded' : 'Failed', outputs };
  } catch (error) {
    if (error instanceof ProtocolFault) return failed(error.code, error.message);
    if (error instanceof ContentFault) return failed('BadRequest', error.message);
    return failed('HttpRequestFailed', String(error));
  }
}

async function sendHttp(action: WorkflowAction, inputs: HttpInputs, context: ActionContext): Promise<EngineAnswer> {
  const { method, uri, authentication, retryPolicy } = inputs;
  const { habits, ids, dispatcher } = context;
  const content = writeContent(inputs.body);
  const authored = authorHeaders(inputs.headers);
  const identity = async (): Promise<Record<string, string>> =>
    authentication === undefined ? {} : { authorization: `Bearer ${await context.token(authentication.audience)}` };
  const isChunked = content !== undefined && content.bytes.length > WHOLE_UP_TO_BYTES && mayBeChunked(action);
  if (!isChunked) {
    const type = content === undefined ? {} : { 'content-type': content.contentType };
    const headers = { ...type, ...lowerCase(authored), ...engineHeaders(ids), ...(await identity()) };
    const bytes = content === undefined ? {} : { bytes: content.bytes };
    const answer = await sendWithRetries(
      { method, url: uri, headers, ...bytes, saysLength: false },
      retryPolicy,
      dispatcher,
    );
    return untilOver(answer, async (url) => {
      const asked = { ...engineHeaders(ids), ...(await identity()) };
      return sendWithRetries({ method: 'GET', url, headers: asked, saysLength: true }, retryPolicy, dispatcher);
    });
  }
  const twice = async (send: () => Promise<EngineAnswer>): Promise<EngineAnswer> => {
    if (habits.sendsTwice === 'requests') await send();
    return send();
  };
  const transfer: ChunkedTransfer = {
    content,
    rangeUnit: habits.rangeUnit ?? 'bytes ',
    async open(added) {
      const headers = { ...lowerCase(authored), ...added, ...engineHeaders(ids), ...(await identity()) };
      return twice(() => sendWithRetries({ method, url: uri, headers, saysLength: true }, retryPolicy, dispatcher));
    },
    // The engine repeats the action's authentication (Azure/logicapps#611); of the author's own headers nothing is known.
    async sendChunk(url, added, bytes) {
      const headers = { ...added, ...engineHeaders(ids), ...(await identity()) };
      return twice(() =>
        sendWithRetries({ method: 'PATCH', url, headers, bytes, saysLength: true }, retryPolicy, dispatcher),
      );
    },
  };
  if (habits.sendsTwice === 'transfers') await transferInChunks(transfer);
  return transferInChunks(transfer);
}

/**
 * The pattern of asynchronous operations: 202 with a Location is asked for until another status comes, which is the action's
 * answer (learn.microsoft.com/azure/logic-apps/logic-apps-workflow-actions-triggers#asynchronous-request-response-behavior). The
 * engine waits Retry-After between, 20 s without one; here a moment.
 */
async function untilOver(
  answer: EngineAnswer,
  ask: (location: string) => Promise<EngineAnswer>,
): Promise<EngineAnswer> {
  let last = answer;
  while (last.statusCode === 202 && last.headers['location'] !== undefined) {
    if (!URL.canParse(last.headers['location']))
      throw new ProtocolFault('InvalidProtocolResponse', 'The Location is no absolute URL.');
    await delay(100);
    last = await ask(last.headers['location']);
  }
  return last;
}

/** Nothing but the whole output of another action; not a trigger's, and nothing that an expression has made (the page on large messages). */
function mayBeChunked({ inputs, runtimeConfiguration }: WorkflowAction): boolean {
  const isWholeOutput = /^@(body|outputs)\('[^']+'\)$/.test(String(inputs['body']));
  return runtimeConfiguration?.contentTransfer?.transferMode === 'Chunked' && isWholeOutput;
}

async function sendToConnector(inputs: ApiConnectionInputs, context: ActionContext): Promise<EngineAnswer> {
  const { host, method, path, queries = {}, body, retryPolicy } = inputs;
  const url = new URL(context.connectionUrl(host.connection) + path);
  for (const [name, value] of Object.entries(queries)) url.searchParams.set(name, String(value));
  const content = writeContent(body);
  return sendWithRetries(
    {
      method: method.toUpperCase(),
      url: url.href,
      headers: content === undefined ? {} : { 'content-type': content.contentType },
      ...(content !== undefined && { bytes: content.bytes }),
      saysLength: true,
    },
    retryPolicy,
    context.dispatcher,
  );
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

/** `Content-Type`, as expressions write it. */
function asDotNetNames(headers: Readonly<Record<string, string>>): Record<string, string> {
  const named = Object.entries(headers).map(([name, value]) => [
    name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase()),
    value,
  ]);
  return Object.fromEntries(named);
}

function failed(code: string, message: string): ActionOutcome {
  return { status: 'Failed', error: { code, message } };
}
