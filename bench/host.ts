import { createServer } from 'node:http';
import { readRequestHeaders } from '../local/host/headers.ts';
import { PLATFORM_TIMES } from '../local/host/hostTimes.ts';
import { runHttpCall, watchCaller } from '../local/host/httpCall.ts';
import { DEFAULT_BODY_LIMIT_BYTES } from '../local/host/kestrel.ts';
import { readRequestTarget } from '../local/host/requestTarget.ts';
import { findRoute, type HttpFunction, listHttpFunctions } from '../local/host/router.ts';
import type { InvocationContext } from '../local/host/runInvocation.ts';
import { createStreamForwarder, type StreamForwarder } from '../local/host/streamForwarder.ts';
import { listen } from '../local/listen.ts';
import { startWorkerChannel } from './channel/hostSide.ts';
import { listenToParent, tellParent } from './listenToParent.ts';
import type { CalledFunctions } from './messages.ts';

// A process of its own that stands for the host: takes the requests, sends an invocation for each over the worker's
// channel, and beside it the request itself to an app that streams.

const ROUTE_PREFIX = 'api';

const channel = await startWorkerChannel();
let functions: readonly HttpFunction[] = [];
let graphHttp: StreamForwarder | undefined;

const context: InvocationContext = {
  workers: {
    ready: async () => ({ invoke: channel.invoke, forwarder: graphHttp }),
    restart: async () => undefined,
  },
  times: PLATFORM_TIMES,
  functionTimeoutMs: undefined,
  log: () => undefined,
};

const server = createServer((request, response) => {
  const target = readRequestTarget(request.url ?? '');
  const headers = readRequestHeaders(request);
  const match = target === undefined ? undefined : findRoute(functions, request.method ?? '', target.path);
  if (target === undefined || headers === undefined || match === undefined) {
    response.writeHead(404).end();
  } else {
    const callerGone = watchCaller(response);
    void runHttpCall({ request, response, headers, target, match, callerGone, context }, DEFAULT_BODY_LIMIT_BYTES);
  }
});

/** From now on requests go to these functions of the worker that connected last. */
function serve({ metadata, httpUri }: CalledFunctions): void {
  functions = listHttpFunctions(metadata, ROUTE_PREFIX, (fault) => console.error(fault));
  graphHttp?.close();
  graphHttp = httpUri === undefined ? undefined : createStreamForwarder(httpUri, PLATFORM_TIMES);
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
