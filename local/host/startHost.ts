import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import path from 'node:path';
import { answerBuffered } from './answerBuffered.ts';
import { createStreamInvocation } from './invocationRequest.ts';
import { answerEmpty, drainAfterAnswer, REQUEST_BODY_LIMIT_BYTES, SERVER_HEADER } from './kestrel.ts';
import type { HostLog } from './log.ts';
import type { InvocationOutcome, InvocationRequest } from './messages.ts';
import { type RequestTarget, readRequestTarget } from './requestTarget.ts';
import { findRoute, type HttpFunction, listHttpFunctions, type RouteMatch } from './router.ts';
import { buildWorkerEnvironment, readAppSettings } from './settings.ts';
import { createStreamForwarder, type StreamForwarder } from './streamForwarder.ts';
import { startWorkerProcess, type WorkerProcess } from './workerProcess.ts';

export interface HostOptions {
  /** The directory of host.json and of the package.json whose `main` names the built app. */
  readonly appRoot: string;
  /** 0, the default, takes a free port. The host listens on 127.0.0.1 only. */
  readonly port?: number;
  /** Added to the worker's environment; wins over the process environment and local.settings.json. */
  readonly env?: Readonly<Record<string, string>>;
  /** Demands `functionKey` where a function's authLevel asks for a key. Off by default, as in `func start`. */
  readonly enableAuth?: boolean;
  readonly functionKey?: string;
  readonly log?: HostLog;
}

export interface LocalHost {
  readonly url: string;
  /** In the order in which they are tried; `route` holds the prefix. */
  readonly functions: readonly Pick<HttpFunction, 'name' | 'methods' | 'route'>[];
  readonly workerPid: number;
  /** Lets calls under way end for a moment, runs the appTerminate hooks and ends the worker. */
  close(): Promise<void>;
}

const CLOSE_TIMEOUT_MS = 2_000;

/**
 * Runs a built app as the Azure Functions host and its Node worker do. An app that cannot be loaded has no functions:
 * the host starts all the same and logs why. Rejects when the port is taken, `appRoot` is missing, or host.json or
 * local.settings.json is not JSON.
 */
export async function startHost(options: HostOptions): Promise<LocalHost> {
  const appRoot = path.resolve(options.appRoot);
  const log = options.log ?? (() => undefined);
  const { routePrefix, values } = readAppSettings(appRoot);
  let site: Site | undefined;
  // The limits of Kestrel: 32 KiB of headers within 30 s, idle connections kept 130 s, no limit to a body's time.
  const server = http.createServer(
    { maxHeaderSize: 32_768, headersTimeout: 30_000, requestTimeout: 0, keepAliveTimeout: 130_000 },
    (request, response) => {
      drainAfterAnswer(request, response);
      if (site === undefined) {
        answerEmpty(response, 503);
      } else {
        answer(site, request, response);
      }
    },
  );
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const port = portOf(server);

  const env = buildWorkerEnvironment(appRoot, port, values, options.env ?? {});
  const worker = await startWorkerProcess(appRoot, env, log).catch((error: unknown) => {
    server.close();
    throw error;
  });
  if (worker.app.fault !== undefined) {
    log({ level: 'error', category: 'host', message: `The app could not be loaded: ${worker.app.fault}` });
  }
  const functions = listHttpFunctions(worker.app.functions, routePrefix, (message) =>
    log({ level: 'warning', category: 'host', message }),
  );
  const httpUri = worker.app.capabilities['HttpUri'];
  const forwarder = httpUri === undefined ? undefined : createStreamForwarder(httpUri);
  site = { functions, worker, forwarder, isHomePageOff: env['AzureWebJobsDisableHomepage'] === 'true', log, options };

  return {
    url: `http://127.0.0.1:${port}`,
    functions: functions.map(({ name, methods, route }) => ({ name, methods, route })),
    workerPid: worker.pid,
    async close() {
      const closed = once(server, 'close');
      server.close();
      const timer = setTimeout(() => server.closeAllConnections(), CLOSE_TIMEOUT_MS);
      await closed;
      clearTimeout(timer);
      await worker.stop();
      forwarder?.close();
    },
  };
}

interface Site {
  readonly functions: readonly HttpFunction[];
  readonly worker: WorkerProcess;
  readonly forwarder: StreamForwarder | undefined;
  readonly isHomePageOff: boolean;
  readonly log: HostLog;
  readonly options: HostOptions;
}

/** Routing comes before the key check, and both before anything is read of the body. */
function answer(site: Site, request: IncomingMessage, response: ServerResponse): void {
  const target = readRequestTarget(request.url ?? '');
  if (target === undefined) {
    answerEmpty(response, 400);
    return;
  }
  // The host keeps these two for itself, whatever functions there are.
  const isReserved = /^\/(?:admin|runtime)(?:\/|$)/i.test(target.path);
  const match = isReserved ? undefined : findRoute(site.functions, request.method ?? '', target.path);
  if (match === undefined) {
    answerUnrouted(site, target, response);
  } else if (!isKeyGood(site.options, match.called, request, target)) {
    answerEmpty(response, 401);
  } else if (!site.worker.isAlive()) {
    answerEmpty(response, 503);
  } else if (Number(request.headers['content-length']) > REQUEST_BODY_LIMIT_BYTES) {
    answerEmpty(response, 500);
  } else {
    call(site, request, response, target, match);
  }
}

function answerUnrouted(site: Site, target: RequestTarget, response: ServerResponse): void {
  if (target.path !== '/') {
    answerEmpty(response, 404);
  } else if (site.isHomePageOff) {
    answerEmpty(response, 204);
  } else {
    const page = 'Your Functions app is up and running.\n';
    response.writeHead(200, [...SERVER_HEADER, 'Content-Type', 'text/plain', 'Content-Length', String(page.length)]);
    response.end(page);
  }
}

/** The header beats the query. Without any key of its own the host lets nobody in. */
function isKeyGood(
  options: HostOptions,
  called: HttpFunction,
  request: IncomingMessage,
  target: RequestTarget,
): boolean {
  if (options.enableAuth !== true || called.authLevel === 'anonymous') {
    return true;
  }
  const key = request.headers['x-functions-key'] ?? new URLSearchParams(target.query).get('code');
  return options.functionKey !== undefined && key === options.functionKey;
}

function call(
  site: Site,
  request: IncomingMessage,
  response: ServerResponse,
  target: RequestTarget,
  match: RouteMatch,
): void {
  const invoke = (call: InvocationRequest) => invokeAndReport(site, match.called, call);
  if (site.forwarder === undefined) {
    answerBuffered(request, response, target, match, invoke).catch((error: unknown) => {
      // As a rule a body that broke off: there is no one left to answer to.
      site.log({ level: 'warning', category: 'host', message: `No answer was sent: ${String(error)}` });
      response.destroy();
    });
    return;
  }
  const invocation = createStreamInvocation(request, match);
  site.forwarder.forward(request, response, target, invocation.invocationId);
  // Its outcome answers nothing: when the app sends no answer, the platform leaves the client waiting too.
  void invoke(invocation);
}

async function invokeAndReport(site: Site, called: HttpFunction, call: InvocationRequest): Promise<InvocationOutcome> {
  const outcome = await site.worker.invoke(call);
  if (outcome.kind === 'failed') {
    const { invocationId } = call;
    const message = `Executed 'Functions.${called.name}' (Failed, Id=${invocationId}): ${outcome.message}`;
    site.log({ level: 'error', category: 'host', message, invocationId });
  }
  return outcome;
}

function portOf(server: http.Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
