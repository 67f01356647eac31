import { join } from 'node:path';
import { app } from '@azure/functions';
import { LATE_ANSWER_MARGIN_MS, WARM_UP_DELAY_MS } from '../shared/limits.ts';
import { watchProxiedRequests } from '../shared/proxiedRequests.ts';
import { createService } from '../shared/service.ts';
import { registerApiDescription } from './apiDescription.ts';
import { registerHealth } from './health.ts';
import { registerRepairHook } from './repairHook.ts';
import { registerCreateUploadSession } from './zCreateUploadSession.ts';

// Without streaming the platform hands over an empty body for Transfer-Encoding: chunked (Azure Functions host, DefaultHttpProxyService).
app.setup({ enableHttpStream: true });

const service = createService({
  environment: process.env,
  appRoot: join(__dirname, '..'), // The bundle is dist/main.cjs.
  log: (level, line) => console[level](line),
});

watchProxiedRequests(service.answersWithinMs + LATE_ANSWER_MARGIN_MS);
registerRepairHook();
registerApiDescription(__dirname);
registerHealth(service);
registerCreateUploadSession(service);

// Off the load path: the platform answers the first request only once loading has ended.
setTimeout(() => void service.warmUp(), WARM_UP_DELAY_MS).unref();
app.hook.appTerminate(() => service.close());
