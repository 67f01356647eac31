import { createServer } from 'node:http';
import { listen } from '../../local/emulators/common/listen.ts';
import { PLATFORM_TIMES } from '../../local/host/hostTimes.ts';
import { runHttpCall, watchCaller } from '../../local/host/httpCall.ts';
import { DEFAULT_BODY_LIMIT_BYTES } from '../../local/host/kestrel.ts';
import { readRequestHeaders } from '../../local/host/requestHeaders.ts';
import { readRequestTarget } from '../../local/host/requestTarget.ts';
import { findRoute, type HttpFunction, listHttpFunctions } from '../../local/host/router.ts';
import type { InvocationContext } from '../../local/host/runInvocation.ts';
import { createStreamForwarder, type StreamForwarder } from '../../local/host/streamForwarder.ts';
import { startWorkerChannel } from './channel/hostSide.ts';
import { listenToParent, tellParent } from './listenToParent.ts';
import type { CalledFunctions } from './messages.ts';

// The process of the Functions host: sends an invocation for each request over the worker's event stream, and the HTTP request
// to the app if it streams.

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

/** Sends all further requests to these functions of the worker that connected last. */
function serve({ metadata, httpUri }: CalledFunctions): void {
  functions = listHttpFunctions(metadata, ROUTE_PREFIX, (message) => console.error(message));
  graphHttp?.close();
  graphHttp = httpUri === undefined ? undefined : createStreamForwarder(httpUri, PLATFORM_TIMES);
}

const { port } = await listen(server);
listenToParent(async (command) => {
  if (command.kind !== 'serve') throw new Error(`The host does not know "${command.kind}".`);
  serve(command.called);
  return { kind: command.kind };
});
tellParent({
  kind: 'hostReady',
  url: `http://127.0.0.1:${port}`,
  pathPrefix: `/${ROUTE_PREFIX}`,
  channelAddress: channel.address,
});
