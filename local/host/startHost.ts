import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { listen } from '../listen.ts';
import { handleRequest, type Site } from './handleRequest.ts';
import { readHostJson } from './hostJson.ts';
import { type HostTimes, PLATFORM_TIMES } from './hostTimes.ts';
import { DEFAULT_BODY_LIMIT_BYTES, drainAfterResponse, SERVER_LIMITS, sendEmpty } from './kestrel.ts';
import type { HostLog } from './log.ts';
import type { FunctionMetadata } from './messages.ts';
import { isQueueFunction, listQueueFunctions } from './queues/queueFunctions.ts';
import { startQueues } from './queues/startQueues.ts';
import { listHttpFunctions } from './router.ts';
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
  /** For the worker; overrides the process environment and local.settings.json. */
  readonly env?: Readonly<Record<string, string>>;
  /** Requires `functionKey` if a function's authLevel asks for a key. Off by default, as in `func start`. */
  readonly enableAuth?: boolean;
  readonly functionKey?: string;
  readonly log?: HostLog;
  /** Override the platform's. */
  readonly times?: Partial<HostTimes>;
  /** For tests: members that the worker's API does not have, such as `@azure/functions-core.getProgrammingModel`. */
  readonly missingMembers?: readonly string[];
}

export type LocalHost = Awaited<ReturnType<typeof startHost>>;

/**
 * Runs a built app as the Azure Functions host and its Node worker do. If the app cannot be loaded, the host logs the reason
 * and starts without functions. Rejects if the port is in use, `appRoot` does not exist, or host.json or
 * local.settings.json is not JSON.
 */
export async function startHost(options: HostOptions) {
  const appRoot = path.resolve(options.appRoot);
  const log = options.log ?? (() => undefined);
  const times = { ...PLATFORM_TIMES, ...options.times };
  const settings = readAppSettings(appRoot, options.env ?? {});
  const { routePrefix, functionTimeoutMs, queues: queueOptions } = readHostJson(appRoot, settings);
  let site: Site | undefined;
  let isClosing = false;
  const onRequest: http.RequestListener = (request, response) => {
    drainAfterResponse(request, response);
    // `server.close` leaves a connection open whose response is not complete; it must be closed when it becomes idle.
    response.once('close', () => {
      if (isClosing) server.closeIdleConnections();
    });
    if (site === undefined) {
      sendEmpty(response, 503);
    } else {
      handleRequest(site, request, response);
    }
  };
  const server = http.createServer(SERVER_LIMITS, onRequest);
  const port = await listenOn(server, options.port, onRequest);
  const secureServer = options.https && https.createServer({ ...SERVER_LIMITS, ...options.https }, onRequest);
  const securePort = secureServer && (await listenOn(secureServer, options.https?.port, onRequest));
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
    keys: { areRequired: options.enableAuth === true, functionKey: options.functionKey },
  };

  const queues = await startQueues(listQueueFunctions(enabled, settings), settings, queueOptions, context);

  return {
    url: `http://127.0.0.1:${port}`,
    /** Undefined without `HostOptions.https`. */
    httpsUrl: securePort === undefined ? undefined : `https://127.0.0.1:${securePort}`,
    /** In matching order; `route` includes the prefix. */
    functions: functions.map(({ name, methods, route }) => ({ name, methods, route })),
    /** Those whose storage account this host can reach. */
    queueFunctions: queues.functions.map(({ name, queueName }) => ({ name, queueName })),
    /** Of the current worker; the host restarts one that ends. */
    get workerPid() {
      return supervisor.latest.pid;
    },
    /** Gives calls some time to end, runs the appTerminate hooks and ends the worker. */
    async close(): Promise<void> {
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

async function listenOn(
  server: http.Server,
  port: number | undefined,
  onRequest: http.RequestListener,
): Promise<number> {
  // The app sends `100 Continue` when it reads the body.
  server.on('checkContinue', onRequest);
  return (await listen(server, port)).port;
}

/** A setting disables a function: learn.microsoft.com/azure/azure-functions/disable-function */
function isDisabled({ name }: FunctionMetadata, settings: NodeJS.ProcessEnv): boolean {
  return /^(true|1)$/i.test(settings[`AzureWebJobs.${name}.Disabled`] ?? '');
}

/** The list of functions as `func start` prints it: a heading, then a line for each with its methods and URL. */
export function describeFunctions(host: Pick<LocalHost, 'url' | 'functions' | 'queueFunctions'>): string {
  const base = `http://localhost:${new URL(host.url).port}`;
  const lines = host.functions.map(({ name, methods, route }) => `\t${name}: [${methods.join(',')}] ${base}/${route}`);
  const queueLines = host.queueFunctions.map(({ name }) => `\t${name}: queueTrigger`);
  return ['Functions:', ...lines, ...queueLines].join('\n\n');
}
