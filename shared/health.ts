import packageJson from '../package.json' with { type: 'json' };
import { startDeadline } from './common/deadline.ts';
import { TOKEN_TIMEOUT_MS } from './common/limits.ts';
import type { ResponseData } from './server/response.ts';
import type { Service } from './service.ts';

/** Answers without any I/O: 200 `{"status": "ok", version, uptimeSeconds}`, or 503 where settings or policy have faults. */
export function liveness({ faults }: Service): ResponseData {
  const status = faults.length === 0 ? 'ok' : 'misconfigured';
  return report(status === 'ok', { status, version: packageJson.version, uptimeSeconds: Math.floor(process.uptime()) });
}

/**
 * Says which check fails, never why: the reasons stand in the log. 200, or 503 where one fails. `unmatchedRequests` counts
 * what proxiedRequests.ts gave up since the start.
 */
export async function readiness(
  { faults, tokens, storage, jobs }: Service,
  requests: { readonly unmatched: number },
): Promise<ResponseData> {
  const settings = !faults.some((fault) => fault.part === 'settings');
  const policy = settings && !faults.some((fault) => fault.part === 'policy');
  const deadline = startDeadline(TOKEN_TIMEOUT_MS);
  const [token, isStorageGood, isQueueGood] = await Promise.all([
    succeeds(faults.length > 0 ? Promise.reject() : tokens?.acquire(deadline)),
    succeeds(storage?.check()),
    succeeds(jobs?.check()),
  ]);
  deadline.end();
  const ready = settings && policy && token && isStorageGood && isQueueGood;
  const word = (isGood: boolean) => (isGood ? 'ok' : 'failing');
  const checks = {
    settings: word(settings),
    policy: word(policy),
    token: token && tokens === undefined ? 'none' : word(token),
    storage: storage === undefined ? 'none' : word(isStorageGood),
    queue: jobs === undefined ? 'none' : word(isQueueGood),
  };
  return report(ready, { status: ready ? 'ready' : 'notReady', checks, unmatchedRequests: requests.unmatched });
}

function succeeds(work: Promise<unknown> | undefined): Promise<boolean> {
  return Promise.resolve(work).then(
    () => true,
    () => false,
  );
}

function report(isGood: boolean, body: unknown): ResponseData {
  return { status: isGood ? 200 : 503, headers: {}, body: JSON.stringify(body) };
}
