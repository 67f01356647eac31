import { join } from 'node:path';
import { app } from '@azure/functions';
import { watchProxiedRequests } from '../shared/request/proxiedRequests.ts';
import { createService } from '../shared/service.ts';
import { registerApiDescription } from './apiDescription.ts';
import { registerAttachJob } from './attachJob.ts';
import { registerHealth } from './health.ts';
import { pairInvocations } from './pairInvocations.ts';
import { registerPreflight } from './preflight.ts';
import { registerRepairHook } from './repairHook.ts';
import { registerUploadSession } from './uploadSession.ts';
import { registerGraphPaths } from './zGraphPaths.ts';

// Without streaming the platform hands over an empty body for Transfer-Encoding: chunked (Azure Functions host, DefaultHttpProxyService).
app.setup({ enableHttpStream: true });

const service = createService({
  environment: process.env,
  appRoot: join(__dirname, '..'), // The bundle is dist/app.cjs.
  log: (level, line) => console[level](line),
});

const requests = watchProxiedRequests(service.corsAllowedOrigins);
registerRepairHook();
registerApiDescription(__dirname, requests);
registerHealth(service, requests);
registerAttachJob(service);
registerPreflight(service, requests);
registerUploadSession(service, requests);
registerGraphPaths(service, requests);
// Off the load path: the platform sends the first request only once the capabilities are there.
pairInvocations(requests, () => setImmediate(() => void service.warmUp()));
app.hook.appTerminate(() => service.close());
