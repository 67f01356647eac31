import type { Context, Middleware } from '@microsoft/microsoft-graph-client';
import { ServiceError } from '../../../shared/errors.ts';
import { type AttemptResult, GraphAttempt } from '../../../shared/graph/graphAttempt.ts';
import { createGraphClient } from '../../../shared/graph/graphClient.ts';
import { type GraphCall, sendOnce } from '../../../shared/graph/sendOnce.ts';
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

/** A last handler of the SDK's chain that keeps what it gets; `fill` is what it does with the exchange. */
function handlerThat(fill: (attempt: GraphAttempt) => void): { middleware: Middleware; seen: Context[] } {
  const seen: Context[] = [];
  return {
    seen,
    middleware: {
      async execute(context) {
        seen.push(context);
        const exchange = context.middlewareControl?.getMiddlewareOptions(GraphAttempt);
        if (exchange instanceof GraphAttempt) fill(exchange);
      },
    },
  };
}

const CREATED: AttemptResult = { kind: 'answer', answer: upstreamAnswer(201, SESSION_BODY) };

const created = () =>
  handlerThat((attempt) => {
    attempt.result = CREATED;
  });

async function send(call: GraphCall, middleware: Middleware, signal = new AbortController().signal) {
  return sendOnce(await createGraphClient('https://graph.example', middleware), call, new GraphAttempt(signal));
}

describe('forward', () => {
  it('leaves path and body as they are on their way through the SDK', async () => {
    const { middleware, seen } = created();

    const result = await send(CALL, middleware);

    expect(result).toBe(CREATED);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.request).toBe(`https://graph.example/v1.0${CALL.path}`);
    expect(seen[0]?.options).toMatchObject({ method: 'POST', body: CALL.body });
  });

  it('goes to beta where the call says so', async () => {
    const { middleware, seen } = created();

    await send({ ...CALL, version: 'beta' }, middleware);

    expect(seen[0]?.request).toBe(`https://graph.example/beta${CALL.path}`);
  });

  it('sends these headers and no others', async () => {
    const { middleware, seen } = created();

    await send(CALL, middleware);

    expect(seen[0]?.options?.headers).toEqual({
      Authorization: 'Bearer a-token',
      'Content-Type': 'application/json',
      Accept: 'application/json',
      'client-request-id': CLIENT_REQUEST_ID,
    });
  });

  it('sends the wish for immutable ids and the trace where there are any', async () => {
    const { middleware, seen } = created();

    await send({ ...CALL, wantsImmutableIds: true, traceParent: '00-a-b-01' }, middleware);

    expect(seen[0]?.options?.headers).toMatchObject({ Prefer: 'IdType="ImmutableId"', traceparent: '00-a-b-01' });
  });

  it.each<AttemptResult>([
    ...[200, 302, 401, 404, 429, 500].map(
      (status) => ({ kind: 'answer', answer: upstreamAnswer(status, '<html>') }) as const,
    ),
    { kind: 'failed', phase: 'beforeAnswer', cause: new Error('ECONNRESET') },
    { kind: 'failed', phase: 'inAnswer', cause: new Error('ECONNRESET') },
  ])('gives back what came of the attempt: %j', async (result) => {
    const { middleware } = handlerThat((attempt) => {
      attempt.result = result;
    });

    expect(await send(CALL, middleware)).toBe(result);
  });

  it("throws the signal's reason where the attempt was ended from outside", async () => {
    const controller = new AbortController();
    const reason = new ServiceError('TimedOut', 'too late');
    const { middleware } = handlerThat((attempt) => {
      controller.abort(reason);
      attempt.result = { kind: 'failed', phase: 'beforeAnswer', cause: reason };
    });

    await expect(send(CALL, middleware, controller.signal)).rejects.toBe(reason);
  });

  it('hands the signal to the handler', async () => {
    const { signal } = new AbortController();
    let handed: AbortSignal | undefined;
    const { middleware } = handlerThat((attempt) => {
      handed = attempt.signal;
      attempt.result = CREATED;
    });

    await send(CALL, middleware, signal);

    expect(handed).toBe(signal);
  });

  it('does not take the absence of a result for one', async () => {
    const { middleware } = handlerThat(() => {});

    await expect(send(CALL, middleware)).rejects.toThrow('The HTTP handler left no result.');
  });
});
