import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject } from '../common/isObject.ts';

/**
 * Whether the host can run functions of a queue: host.json names the extension bundle, or the deployment has extensions of its
 * own in `bin`. A queue function without either would be a fault of the whole app at each start.
 *
 * @param appRoot the folder of host.json
 */
export function hasQueueTrigger(appRoot: string): boolean {
  if (existsSync(join(appRoot, 'bin', 'extensions.json'))) return true;
  try {
    const host: unknown = JSON.parse(readFileSync(join(appRoot, 'host.json'), 'utf8'));
    return isObject(host) && isObject(host['extensionBundle']);
  } catch {
    return false; // The host reports it.
  }
}
