import { join } from 'node:path';
import { app } from '@azure/functions';
import { watchProxiedRequests } from '../shared/callerDisconnect.ts';
import { createService } from '../shared/service.ts';
import { registerHealth } from './health.ts';
import { registerRepairHook } from './repairHook.ts';
import { registerCreateUploadSession } from './zCreateUploadSession.ts';

// Without streaming the platform hands over an empty body for Transfer-Encoding: chunked (Azure Functions host, DefaultHttpProxyService).
app.setup({ enableHttpStream: true });
watchProxiedRequests();

const service = createService({
  environment: process.env,
  appRoot: join(__dirname, '..'), // The bundle is dist/main.cjs.
  log: (level, line) => console[level](line),
});

registerRepairHook();
registerHealth(service);
registerCreateUploadSession(service);
