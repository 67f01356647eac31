import { createServer } from 'node:http';
import { listen } from '../local/emulators/listen.ts';
import { answerBuffered } from '../local/host/answerBuffered.ts';
import { createStreamInvocation } from '../local/host/invocationRequest.ts';
import { readRequestTarget } from '../local/host/requestTarget.ts';
import { findRoute, type HttpFunction, listHttpFunctions } from '../local/host/router.ts';
import { createStreamForwarder, type StreamForwarder } from '../local/host/streamForwarder.ts';
import { startWorkerChannel } from './channel/hostSide.ts';
import { listenToParent, tellParent } from './listenToParent.ts';
import type { CalledFunction } from './messages.ts';

// A process of its own that stands for the host: takes the requests, sends an invocation for each over the worker's
// channel, and beside it the request itself to an app that streams.

const ROUTE_PREFIX = 'api';

const channel = await startWorkerChannel();
let functions: readonly HttpFunction[] = [];
let forwarder: StreamForwarder | undefined;

const server = createServer((request, response) => {
  const target = readRequestTarget(request.url ?? '');
  const match = target === undefined ? undefined : findRoute(functions, request.method ?? '', target.path);
  if (target === undefined || match === undefined) {
    response.writeHead(404).end();
  } else if (forwarder === undefined) {
    const answered = answerBuffered(request, response, target, match, channel.invoke);
    answered.catch(() => response.destroy()); // The load ended in the middle of a request.
  } else {
    const call = createStreamInvocation(request, match);
    void channel.invoke(call);
    forwarder.forward(request, response, target, call.invocationId);
  }
});

/** From now on requests go to this function of the worker that connected last. */
function serve({ metadata, httpUri }: CalledFunction): void {
  functions = listHttpFunctions([metadata], ROUTE_PREFIX, (fault) => console.error(fault));
  forwarder?.close();
  forwarder = httpUri === undefined ? undefined : createStreamForwarder(httpUri);
}

const { port } = await listen(server);
listenToParent(async (question) => {
  if (question.kind !== 'serve') throw new Error(`The host cannot answer "${question.kind}".`);
  serve(question.called);
  return { kind: 'serve' };
});
tellParent({
  kind: 'hostReady',
  url: `http://127.0.0.1:${port}`,
  pathPrefix: `/${ROUTE_PREFIX}`,
  channelAddress: channel.address,
});
