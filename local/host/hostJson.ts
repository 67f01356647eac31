import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseTimeSpan } from './parseTimeSpan.ts';
import { type QueueOptions, readQueueOptions } from './queues/queueOptions.ts';
import { member, readJson } from './readJson.ts';

export interface HostJson {
  /** Goes before every route: `extensions.http.routePrefix`, or `api`. */
  readonly routePrefix: string;
  /** `functionTimeout`; undefined: `-1`, no end. */
  readonly functionTimeoutMs: number | undefined;
  /** Undefined: no queue trigger, for want of `extensionBundle` and of extensions in `bin`. */
  readonly queues: QueueOptions | undefined;
}

/** On every plan but Consumption (Azure Functions host: ScriptJobHostOptionsSetup). */
const DEFAULT_FUNCTION_TIMEOUT = '00:30:00';

/**
 * Reads host.json of an app. A setting `AzureFunctionsJobHost__a__b` stands for the member b of a, and wins.
 * Throws when the file is not JSON, or has a batch size that is none. (learn.microsoft.com/azure/azure-functions/functions-host-json)
 */
export function readHostJson(appRoot: string, settings: NodeJS.ProcessEnv): HostJson {
  const file = readJson(path.join(appRoot, 'host.json'));
  const find = (...names: string[]) =>
    settings[['AzureFunctionsJobHost', ...names].join('__')] ?? names.reduce(member, file);
  const routePrefix = find('extensions', 'http', 'routePrefix');
  return {
    routePrefix: typeof routePrefix === 'string' ? routePrefix : 'api',
    functionTimeoutMs: parseTimeSpan(find('functionTimeout') ?? DEFAULT_FUNCTION_TIMEOUT),
    queues:
      find('extensionBundle', 'id') !== undefined || existsSync(path.join(appRoot, 'bin', 'extensions.json'))
        ? readQueueOptions((name) => find('extensions', 'queues', name), isDevelopment(settings))
        : undefined,
  };
}

function isDevelopment(settings: NodeJS.ProcessEnv): boolean {
  return settings['AZURE_FUNCTIONS_ENVIRONMENT']?.toLowerCase() === 'development';
}
