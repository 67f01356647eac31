import { createServer } from 'node:http';
import { handleRequest, type Site } from '../../local/host/handleRequest.ts';
import { PLATFORM_TIMES } from '../../local/host/hostTimes.ts';
import { DEFAULT_BODY_LIMIT_BYTES } from '../../local/host/kestrel.ts';
import { listHttpFunctions } from '../../local/host/router.ts';
import { createStreamForwarder, type StreamForwarder } from '../../local/host/streamForwarder.ts';
import { listen } from '../../local/listen.ts';
import { startHostSide } from './eventStream.ts';
import { listenToParent, tellParent } from './listenToParent.ts';
import type { CalledFunctions } from './messages.ts';

// The process of the Functions host: sends an invocation for each request over the worker's event stream, and the HTTP request
// to the app if it streams.

const ROUTE_PREFIX = 'api';

const { address: channelAddress, invoke } = await startHostSide();
let forwarder: StreamForwarder | undefined;
let site: Site = {
  functions: [],
  context: {
    workers: { ready: async () => ({ invoke, forwarder }), restart: async () => undefined },
    times: PLATFORM_TIMES,
    functionTimeoutMs: undefined,
    log: () => undefined,
  },
  bodyLimitBytes: DEFAULT_BODY_LIMIT_BYTES,
  isHomePageOff: true,
  keys: { areRequired: false, functionKey: undefined },
};

/** Sends all further requests to these functions of the worker that connected last. */
function serve({ metadata, httpUri }: CalledFunctions): void {
  site = { ...site, functions: listHttpFunctions(metadata, ROUTE_PREFIX, (message) => console.error(message)) };
  forwarder?.close();
  forwarder = httpUri === undefined ? undefined : createStreamForwarder(httpUri, PLATFORM_TIMES);
}

const { port } = await listen(createServer((request, response) => handleRequest(site, request, response)));
listenToParent(async (command) => {
  if (command.kind !== 'serve') throw new Error(`The host does not know "${command.kind}".`);
  serve(command.called);
  return { kind: command.kind };
});
tellParent({ kind: 'hostReady', url: `http://127.0.0.1:${port}`, pathPrefix: `/${ROUTE_PREFIX}`, channelAddress });
