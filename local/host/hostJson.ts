import path from 'node:path';
import { parseTimeSpan } from './parseTimeSpan.ts';
import { member, readJson } from './readJson.ts';

export interface HostJson {
  /** Goes before every route: `extensions.http.routePrefix`, or `api`. */
  readonly routePrefix: string;
  /** `functionTimeout`; undefined: `-1`, no end. */
  readonly functionTimeoutMs: number | undefined;
}

/** On every plan but Consumption (Azure Functions host: ScriptJobHostOptionsSetup). */
const DEFAULT_FUNCTION_TIMEOUT = '00:30:00';

/**
 * Reads host.json of an app. A setting `AzureFunctionsJobHost__a__b` stands for the member b of a, and wins.
 * Throws when the file is not JSON. (learn.microsoft.com/azure/azure-functions/functions-host-json)
 */
export function readHostJson(appRoot: string, settings: NodeJS.ProcessEnv): HostJson {
  const file = readJson(path.join(appRoot, 'host.json'));
  const find = (...names: string[]) =>
    settings[['AzureFunctionsJobHost', ...names].join('__')] ?? names.reduce(member, file);
  const routePrefix = find('extensions', 'http', 'routePrefix');
  return {
    routePrefix: typeof routePrefix === 'string' ? routePrefix : 'api',
    functionTimeoutMs: parseTimeSpan(find('functionTimeout') ?? DEFAULT_FUNCTION_TIMEOUT),
  };
}
