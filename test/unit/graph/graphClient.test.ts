import type { Dispatcher } from 'undici';
import { createGraphClient, type Dispatch, type GraphCall } from '../../../shared/graph/graphClient.ts';
import type { AttemptResult } from '../../../shared/graph/graphResponse.ts';
import { CLIENT_REQUEST_ID, SESSION_BODY, upstreamAnswer } from '../../support/builders.ts';

const CALL: GraphCall = {
  operation: 'createUploadSession',
  method: 'POST',
  kind: 'message',
  version: 'v1.0',
  path: "/users/o'neill%40contoso.example/messages/AAMk%2B%3D%3A%20/attachments/createUploadSession",
  body: '{"AttachmentItem":{"name":"é \\"","size":5}}',
  token: 'a-token',
  clientRequestId: CLIENT_REQUEST_ID,
  wantsImmutableIds: false,
  traceParent: undefined,
};

const CREATED: AttemptResult = { kind: 'response', response: upstreamAnswer(201, SESSION_BODY) };

interface Seen {
  readonly options: Dispatcher.DispatchOptions;
  readonly signal: AbortSignal;
}

/** Sends the call through the SDK to a Graph with this result. */
async function send(call: GraphCall, result = CREATED, signal = new AbortController().signal) {
  const seen: Seen[] = [];
  const released = Promise.resolve();
  const dispatch: Dispatch = (options, given) => {
    seen.push({ options, signal: given });
    return { result: Promise.resolve(result), released };
  };
  const client = await createGraphClient('https://graph.example', dispatch);
  const request = await client.send(call, signal);
  return { result: await request.result, isSameRelease: request.released === released, seen };
}

describe('createGraphClient', () => {
  it('passes path and body unchanged through the SDK', async () => {
    const { result, isSameRelease, seen } = await send(CALL);

    expect(result).toBe(CREATED);
    expect(isSameRelease).toBe(true);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.options).toMatchObject({ method: 'POST', path: `/v1.0${CALL.path}`, body: CALL.body });
  });

  it('sends a GET without a body', async () => {
    const { body: _, ...call } = CALL;

    const { seen } = await send({ ...call, method: 'GET' });

    expect(seen[0]?.options).toMatchObject({ method: 'GET', path: `/v1.0${CALL.path}`, body: null });
    expect(seen[0]?.options.headers).not.toHaveProperty('Content-Type');
  });

  it('sends to beta if the call names it', async () => {
    const { seen } = await send({ ...CALL, version: 'beta' });

    expect(seen[0]?.options.path).toBe(`/beta${CALL.path}`);
  });

  it('sends these headers and no others', async () => {
    const { seen } = await send(CALL);

    expect(seen[0]?.options.headers).toEqual({
      Authorization: 'Bearer a-token',
      'Content-Type': 'application/json',
      Accept: 'application/json',
      'client-request-id': CLIENT_REQUEST_ID,
    });
  });

  it('sends the preference for immutable ids and the trace if the call has them', async () => {
    const { seen } = await send({ ...CALL, wantsImmutableIds: true, traceParent: '00-a-b-01' });

    expect(seen[0]?.options.headers).toMatchObject({ Prefer: 'IdType="ImmutableId"', traceparent: '00-a-b-01' });
  });

  it.each<AttemptResult>([
    ...[200, 302, 401, 404, 429, 500].map(
      (status) => ({ kind: 'response', response: upstreamAnswer(status, '<html>') }) as const,
    ),
    { kind: 'failed', phase: 'beforeResponse', cause: new Error('ECONNRESET') },
    { kind: 'failed', phase: 'inResponse', cause: new Error('ECONNRESET') },
  ])('returns the result of the attempt: %j', async (result) => {
    expect((await send(CALL, result)).result).toBe(result);
  });

  it('passes the signal to the request', async () => {
    const { signal } = new AbortController();

    expect((await send(CALL, CREATED, signal)).seen[0]?.signal).toBe(signal);
  });

  it('fails if no request can be sent', async () => {
    const client = await createGraphClient('https://graph.example', () => {
      throw new TypeError('invalid header');
    });

    await expect(client.send(CALL, new AbortController().signal)).rejects.toThrow('invalid header');
  });
});
