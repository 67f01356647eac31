import { once } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Activity } from './activity.ts';
import { createBlockWriter } from './blockWriter.ts';
import type { RequestBody } from './requestBody.ts';

export interface WorkerRequest {
  readonly options: http.RequestOptions & { readonly headers: string[] };
  readonly body: RequestBody | undefined;
  readonly expectsContinue: boolean;
  readonly continueWaitMs: number;
}

/** After `Expect`, a refusal keeps a body back that is longer than this, or of unknown length (.NET: HttpConnection). */
const EXPECT_THRESHOLD_BYTES = 1_024;

/**
 * One attempt to get an answer from the worker, as .NET's client makes it over HTTP/1.1: an answer counts only once the
 * whole body has been sent, unless the caller sent `Expect`. Rejects when the connection breaks, when the body does, or
 * with the reason of the activity's signal.
 */
export async function requestWorker(request: WorkerRequest, activity: Activity): Promise<IncomingMessage> {
  const { body } = request;
  // Its first attempt has read from the body: there is nothing left that could be sent again.
  const isConsumed = body?.isStarted === true;
  if (isConsumed && !request.expectsContinue) {
    throw new Error('The body was already consumed.');
  }
  const outgoing = http.request(request.options);
  const destroy = () => outgoing.destroy();
  activity.signal.addEventListener('abort', destroy);
  outgoing.once('close', () => activity.signal.removeEventListener('abort', destroy));
  try {
    const answer = await exchange(outgoing, request, isConsumed, activity);
    activity.signal.throwIfAborted();
    return answer;
  } catch (error) {
    outgoing.destroy();
    throw activity.signal.aborted ? activity.signal.reason : error;
  }
}

async function exchange(
  outgoing: ClientRequest,
  { body, expectsContinue, continueWaitMs }: WorkerRequest,
  isConsumed: boolean,
  { signal, touch }: Activity,
): Promise<IncomingMessage> {
  const answered = answerOf(outgoing);
  outgoing.flushHeaders();
  if (body === undefined) {
    outgoing.end();
    return await answered;
  }
  const writer = createBlockWriter(outgoing);
  if (expectsContinue) {
    const early = await waitForContinue(outgoing, answered, continueWaitMs);
    if (early !== undefined && isRefusal(early, body)) {
      // Whose body is never sent, that connection is of no further use.
      early.once('close', () => outgoing.destroy());
      return early;
    }
  }
  if (isConsumed) {
    throw new Error('The body was already consumed.');
  }
  for (let chunk = await body.read(signal); chunk !== undefined; chunk = await body.read(signal)) {
    touch();
    await writer.write(chunk);
    touch();
  }
  await writer.end();
  return await answered;
}

function answerOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  outgoing.once('response', resolve).once('close', () => reject(new Error('The worker closed the connection.')));
  // It is listened to for as long as the request lives, whether or not anyone still waits.
  outgoing.on('error', reject);
  promise.catch(() => undefined);
  return promise;
}

/** The worker's answer, if there is one before it says 100 Continue or time is up. */
async function waitForContinue(
  outgoing: ClientRequest,
  answered: Promise<IncomingMessage>,
  waitMs: number,
): Promise<IncomingMessage | undefined> {
  const timer = new AbortController();
  const isTimeUp = delay(waitMs, undefined, { signal: timer.signal }).catch(() => undefined);
  const isContinued = once(outgoing, 'continue', { signal: timer.signal }).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([answered, isContinued, isTimeUp]);
  } finally {
    timer.abort();
  }
}

function isRefusal(answer: IncomingMessage, body: RequestBody): boolean {
  const isLong = body.declaredBytes === undefined || body.declaredBytes > EXPECT_THRESHOLD_BYTES;
  return (answer.statusCode ?? 500) >= 300 && isLong;
}
