import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { handleRequest, type Site } from './handleRequest.ts';
import { readHostJson } from './hostJson.ts';
import { type HostTimes, PLATFORM_TIMES } from './hostTimes.ts';
import { isDisabled } from './isDisabled.ts';
import { DEFAULT_BODY_LIMIT_BYTES, drainAfterResponse, SERVER_LIMITS, sendEmpty } from './kestrel.ts';
import type { HostLog } from './log.ts';
import { isQueueFunction, listQueueFunctions, type QueueFunction } from './queues/queueFunctions.ts';
import { startQueues } from './queues/startQueues.ts';
import { type HttpFunction, listHttpFunctions } from './router.ts';
import { readAppSettings } from './settings.ts';
import { startWorkerProcess } from './workerProcess.ts';
import { superviseWorker } from './workerSupervisor.ts';

export interface HostOptions {
  /** The directory of host.json and of the package.json whose `main` names the built app. */
  readonly appRoot: string;
  /** 0, the default, takes a free port. The host listens on 127.0.0.1 only. */
  readonly port?: number;
  /** Listens for HTTPS as well, on 127.0.0.1 with this certificate (PEM texts). Port 0 takes a free one. */
  readonly https?: { readonly port: number; readonly cert: string; readonly key: string };
  /** Added to the worker's environment; wins over the process environment and local.settings.json. */
  readonly env?: Readonly<Record<string, string>>;
  /** Demands `functionKey` where a function's authLevel asks for a key. Off by default, as in `func start`. */
  readonly enableAuth?: boolean;
  readonly functionKey?: string;
  readonly log?: HostLog;
  /** Other waits than the platform's. */
  readonly times?: Partial<HostTimes>;
  /** For tests: members that the worker's API lacks, such as `@azure/functions-core.getProgrammingModel`. */
  readonly missingMembers?: readonly string[];
}

export interface LocalHost {
  readonly url: string;
  /** Undefined without `HostOptions.https`. */
  readonly httpsUrl: string | undefined;
  /** In the order in which they are tried; `route` holds the prefix. */
  readonly functions: readonly Pick<HttpFunction, 'name' | 'methods' | 'route'>[];
  /** Those whose account this host can reach. */
  readonly queueFunctions: readonly Pick<QueueFunction, 'name' | 'queueName'>[];
  /** Of the worker that runs now: one that ends is started anew. */
  readonly workerPid: number;
  /** Lets calls under way end for a while, runs the appTerminate hooks and ends the worker. */
  close(): Promise<void>;
}

/**
 * Runs a built app as the Azure Functions host and its Node worker do. An app that cannot be loaded has no functions:
 * the host starts all the same and logs why. Rejects when the port is taken, `appRoot` is missing, or host.json or
 * local.settings.json is not JSON.
 */
export async function startHost(options: HostOptions): Promise<LocalHost> {
  const appRoot = path.resolve(options.appRoot);
  const log = options.log ?? (() => undefined);
  const times = { ...PLATFORM_TIMES, ...options.times };
  const settings = readAppSettings(appRoot, options.env ?? {});
  const { routePrefix, functionTimeoutMs, queues: queueOptions } = readHostJson(appRoot, settings);
  let site: Site | undefined;
  let isClosing = false;
  const answer: http.RequestListener = (request, response) => {
    drainAfterResponse(request, response);
    // `server.close` spares a connection whose answer is not quite out; nobody would close it when it has become idle.
    response.once('close', () => {
      if (isClosing) server.closeIdleConnections();
    });
    if (site === undefined) {
      sendEmpty(response, 503);
    } else {
      handleRequest(site, request, response);
    }
  };
  const server = http.createServer(SERVER_LIMITS, answer);
  const port = await listen(server, options.port ?? 0, answer);
  const secureServer = options.https && https.createServer({ ...SERVER_LIMITS, ...options.https }, answer);
  const securePort = secureServer && (await listen(secureServer, options.https?.port ?? 0, answer));
  const servers = [server, ...(secureServer === undefined ? [] : [secureServer])];

  const env = { ...settings, WEBSITE_HOSTNAME: `localhost:${port}`, ...options.env };
  const startProcess = () => startWorkerProcess(appRoot, env, log, options.missingMembers);
  const supervisor = await superviseWorker(startProcess, times, log).catch((error: unknown) => {
    for (const each of servers) each.close();
    throw error;
  });
  const { app } = supervisor.latest;
  if (app.error !== undefined) {
    log({ level: 'error', category: 'host', message: `The app could not be loaded: ${app.error}` });
  }
  const enabled = app.functions.filter((metadata) => !isDisabled(metadata, settings));
  const functions = listHttpFunctions(
    enabled.filter((metadata) => !isQueueFunction(metadata)),
    routePrefix,
    (message) => log({ level: 'warning', category: 'host', message }),
  );
  const context = { workers: supervisor, times, functionTimeoutMs, log };
  site = {
    functions,
    context,
    bodyLimitBytes: Number(settings['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'] ?? DEFAULT_BODY_LIMIT_BYTES),
    isHomePageOff: settings['AzureWebJobsDisableHomepage'] === 'true',
    keys: { areDemanded: options.enableAuth === true, functionKey: options.functionKey },
  };

  const queues = await startQueues(listQueueFunctions(enabled, settings), settings, queueOptions, context);

  return {
    url: `http://127.0.0.1:${port}`,
    httpsUrl: securePort === undefined ? undefined : `https://127.0.0.1:${securePort}`,
    functions: functions.map(({ name, methods, route }) => ({ name, methods, route })),
    queueFunctions: queues.functions.map(({ name, queueName }) => ({ name, queueName })),
    get workerPid() {
      return supervisor.latest.pid;
    },
    async close() {
      isClosing = true;
      const closed = servers.map((each) => once(each, 'close'));
      for (const each of servers) each.close();
      const timer = setTimeout(() => {
        for (const each of servers) each.closeAllConnections();
      }, times.closeGraceMs);
      await Promise.all([...closed, queues.stop(times.closeGraceMs)]);
      clearTimeout(timer);
      await supervisor.stop();
    },
  };
}

/** Listens on 127.0.0.1. Resolves to the port. */
async function listen(server: http.Server, port: number, onRequest: http.RequestListener): Promise<number> {
  // The app says `100 Continue` when it reads the body, not the server.
  server.on('checkContinue', onRequest);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
