import { join } from 'node:path';
import { app } from '@azure/functions';
import core from '@azure/functions-core';
import { MATCH_TIMEOUT_MS } from '../shared/common/limits.ts';
import { formatCause } from '../shared/logging/mask.ts';
import { createHttpServer } from '../shared/server/httpServer.ts';
import { createRequestMatcher } from '../shared/server/requestMatcher.ts';
import { createService } from '../shared/service.ts';
import { registerApiDescription } from './apiDescription.ts';
import { registerAttachJob } from './attachJob.ts';
import { registerErrorFallback } from './errorFallback.ts';
import { registerHealth } from './health.ts';
import { matchInvocations } from './matchInvocations.ts';
import { createPlatform } from './platform.ts';
import { registerPreflight } from './preflight.ts';
import { readRoutePrefix } from './routePrefix.ts';
import { registerUploadUrls } from './uploadUrls.ts';
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
const requests = createRequestMatcher(MATCH_TIMEOUT_MS, service.corsAllowedOrigins);
let prefix: string | undefined;
const routePrefix = () => (prefix ??= readRoutePrefix(appRoot));
registerApiDescription(platform, __dirname, requests);
registerHealth(platform, service, requests);
registerAttachJob(service);
registerPreflight(platform, service, requests);
registerUploadUrls(platform, service, requests, routePrefix);
registerGraphPaths(platform, service, requests, routePrefix);

if (api !== undefined) {
  const model = api.getProgrammingModel(); // The library has set it with the first function.
  platform.reportMissing(missingInModel(model));
  registerErrorFallback();
  app.hook.appTerminate(() => service.close());
  if (isProgrammingModel(model)) {
    const server = createHttpServer({
      onRequest: requests.arrive,
      onError: (error) => console.error(JSON.stringify({ event: 'httpServerFailed', cause: formatCause(error) })),
    });
    matchInvocations(api, model, {
      requests,
      startServer: server.listen,
      // Off the load path: the host sends the first request only once it has the capabilities.
      onLoaded: () => setImmediate(() => void service.warmUp()),
      reportMissing: platform.reportMissing,
    });
    app.hook.appTerminate(() => server.close());
  }
}
