import { once } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import { within } from '../within.ts';
import type { RequestBody } from './requestBody.ts';

export type Activity = ReturnType<typeof watchActivity>;

/** One call to the worker. It ends if nothing moves for too long, or if the caller goes away. */
export function watchActivity(inactivityMs: number, callerGone: AbortSignal) {
  const inactive = new AbortController();
  const timer = setTimeout(() => inactive.abort(new Error(`Nothing moved for ${inactivityMs} ms.`)), inactivityMs);
  return {
    signal: AbortSignal.any([inactive.signal, callerGone]),
    /** Bytes have moved, in either direction. */
    touch: () => void timer.refresh(),
    stop: () => clearTimeout(timer),
  };
}

export interface WorkerRequest {
  readonly options: http.RequestOptions & { readonly headers: string[] };
  readonly body: RequestBody | undefined;
  readonly expectsContinue: boolean;
  readonly continueWaitMs: number;
}

/** .NET's HTTP client collects the bytes and sends only full blocks before the end (SocketsHttpHandler: HttpConnection). */
const BLOCK_BYTES = 4_096;

/** After `Expect`, a rejection stops a body that is larger than this, or of unknown size (.NET: HttpConnection). */
const EXPECT_THRESHOLD_BYTES = 1_024;

/**
 * One attempt to get a response from the worker, as .NET's client makes it over HTTP/1.1: a response counts only after the
 * complete body was sent, unless the caller sent `Expect`. Rejects if the connection or the body breaks, or with the reason
 * of the activity's signal.
 */
export async function requestWorker(request: WorkerRequest, activity: Activity): Promise<IncomingMessage> {
  // An earlier attempt has read from the body, which cannot be sent again.
  const isConsumed = request.body?.isStarted === true;
  if (isConsumed && !request.expectsContinue) throw new Error('The body was already consumed.');
  const outgoing = http.request(request.options);
  const destroy = () => outgoing.destroy();
  activity.signal.addEventListener('abort', destroy);
  outgoing.once('close', () => activity.signal.removeEventListener('abort', destroy));
  try {
    const response = await sendRequest(outgoing, request, isConsumed, activity);
    activity.signal.throwIfAborted();
    return response;
  } catch (error) {
    outgoing.destroy();
    throw activity.signal.aborted ? activity.signal.reason : error;
  }
}

async function sendRequest(
  outgoing: ClientRequest,
  { body, expectsContinue, continueWaitMs }: WorkerRequest,
  isConsumed: boolean,
  { signal, touch }: Activity,
): Promise<IncomingMessage> {
  const responded = responseOf(outgoing);
  outgoing.flushHeaders();
  if (body === undefined) {
    outgoing.end();
    return await responded;
  }
  const writer = createBlockWriter(outgoing);
  if (expectsContinue) {
    const continued = once(outgoing, 'continue').then(
      () => undefined,
      () => undefined,
    );
    const early = await within(Promise.race([responded, continued]), continueWaitMs);
    if (early !== undefined && isRejection(early, body)) {
      // Without its body, the connection cannot be used again.
      early.once('close', () => outgoing.destroy());
      return early;
    }
  }
  if (isConsumed) throw new Error('The body was already consumed.');
  for (let chunk = await body.read(signal); chunk !== undefined; chunk = await body.read(signal)) {
    touch();
    await writer.write(chunk);
    touch();
  }
  await writer.end();
  return await responded;
}

function responseOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  outgoing.once('response', resolve).once('close', () => reject(new Error('The worker closed the connection.')));
  // A request without a listener for errors would end the process.
  outgoing.on('error', reject);
  promise.catch(() => undefined);
  return promise;
}

function isRejection(response: IncomingMessage, body: RequestBody): boolean {
  const isLong = body.declaredBytes === undefined || body.declaredBytes > EXPECT_THRESHOLD_BYTES;
  return (response.statusCode ?? 500) >= 300 && isLong;
}

/** Writes the body of a request to the worker. */
function createBlockWriter(outgoing: ClientRequest) {
  let pending: Buffer = Buffer.alloc(0);
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  outgoing.once('error', broken.reject);
  outgoing.once('close', () => broken.reject(new Error('The worker closed the connection.')));

  async function send(bytes: Buffer): Promise<void> {
    // Without 'drain', which a request does not emit after an early response.
    const written = new Promise<void>((resolve, reject) => {
      outgoing.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
    await Promise.race([broken.promise, written]);
  }

  return {
    /** Waits while the worker does not read. Rejects if the connection is broken. */
    async write(bytes: Buffer): Promise<void> {
      const all = pending.length === 0 ? bytes : Buffer.concat([pending, bytes]);
      const sent = all.length >= 2 * BLOCK_BYTES ? all.length : all.length - (all.length % BLOCK_BYTES);
      pending = all.subarray(sent);
      if (sent > 0) await send(all.subarray(0, sent));
    },
    /** Sends the rest, and ends the request. */
    async end(): Promise<void> {
      if (pending.length > 0) await send(pending);
      const finished = once(outgoing, 'finish');
      outgoing.end();
      await Promise.race([broken.promise, finished]);
    },
  };
}
