import { join } from 'node:path';
import { app } from '@azure/functions';
import core from '@azure/functions-core';
import { PAIRING_TIMEOUT_MS } from '../shared/limits.ts';
import { describeCause } from '../shared/log/mask.ts';
import { createHttpServer } from '../shared/request/httpServer.ts';
import { createProxiedRequests } from '../shared/request/proxiedRequests.ts';
import { createService } from '../shared/service.ts';
import { registerApiDescription } from './apiDescription.ts';
import { registerAttachJob } from './attachJob.ts';
import { registerHealth } from './health.ts';
import { pairInvocations } from './pairInvocations.ts';
import { createPlatform } from './platform.ts';
import { registerPreflight } from './preflight.ts';
import { registerRepairHook } from './repairHook.ts';
import { readRoutePrefix } from './routePrefix.ts';
import { registerUploadSession } from './uploadSession.ts';
import {
  isCoreApi,
  isProgrammingModel,
  missingInApi,
  missingInModel,
  provideSetProgrammingModel,
} from './workerApi.ts';
import { registerGraphPaths } from './zGraphPaths.ts';

const appRoot = join(__dirname, '..'); // The bundle is dist/main.cjs.

const platform = createPlatform((line) => console.error(line));
platform.reportMissing(missingInApi(core));
const api = isCoreApi(core) ? core : undefined;
provideSetProgrammingModel(core);

const service = createService({ environment: process.env, appRoot, log: (level, line) => console[level](line) });
const requests = createProxiedRequests(PAIRING_TIMEOUT_MS, service.corsAllowedOrigins);
let prefix: string | undefined;
const routePrefix = () => (prefix ??= readRoutePrefix(appRoot));
registerApiDescription(platform, __dirname, requests);
registerHealth(platform, service, requests);
registerAttachJob(service);
registerPreflight(platform, service, requests);
registerUploadSession(platform, service, requests, routePrefix);
registerGraphPaths(platform, service, requests, routePrefix);

if (api !== undefined) {
  const model = api.getProgrammingModel(); // The library has set it with the first function.
  platform.reportMissing(missingInModel(model));
  registerRepairHook();
  app.hook.appTerminate(() => service.close());
  if (isProgrammingModel(model)) {
    const server = createHttpServer({
      onRequest: requests.arrive,
      onError: (error) => console.error(JSON.stringify({ event: 'httpServerFailed', cause: describeCause(error) })),
    });
    pairInvocations(api, model, {
      requests,
      startServer: server.listen,
      // Off the load path: the host sends the first request only once it has the capabilities.
      onLoaded: () => setImmediate(() => void service.warmUp()),
      reportMissing: platform.reportMissing,
    });
    app.hook.appTerminate(() => server.close());
  }
}
