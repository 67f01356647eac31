import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject } from '../shared/common/isObject.ts';

/** learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook, host.json settings */
const DEFAULT_PREFIX = 'api';

/**
 * The route prefix of host.json.
 *
 * @param appRoot the folder of host.json
 */
export function readRoutePrefix(appRoot: string): string {
  const host: unknown = JSON.parse(readFileSync(join(appRoot, 'host.json'), 'utf8'));
  const extensions = isObject(host) ? host['extensions'] : undefined;
  const http = isObject(extensions) ? extensions['http'] : undefined;
  const prefix = isObject(http) ? http['routePrefix'] : undefined;
  return typeof prefix === 'string' ? prefix : DEFAULT_PREFIX;
}
