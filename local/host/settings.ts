import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

export interface AppSettings {
  /** Goes before every route: `extensions.http.routePrefix` of host.json, or `api`. */
  readonly routePrefix: string;
  /** `Values` of local.settings.json, nulls skipped. */
  readonly values: Readonly<Record<string, string>>;
}

/** Reads host.json and local.settings.json of an app. Throws when one of them is not JSON. */
export function readAppSettings(appRoot: string): AppSettings {
  const http = member(member(readJson(path.join(appRoot, 'host.json')), 'extensions'), 'http');
  const routePrefix = member(http, 'routePrefix');
  const listed = member(readJson(path.join(appRoot, 'local.settings.json')), 'Values');
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(typeof listed === 'object' && listed !== null ? listed : {})) {
    if (value !== null) {
      values[name] = String(value);
    }
  }
  return { routePrefix: typeof routePrefix === 'string' ? routePrefix : 'api', values };
}

/**
 * The worker's environment as `func start` makes it: `values` only where the process has no such variable. What is in
 * `extra` wins over all. (Azure Functions Core Tools: StartHostAction)
 */
export function buildWorkerEnvironment(
  appRoot: string,
  port: number,
  values: Readonly<Record<string, string>>,
  extra: Readonly<Record<string, string>>,
): NodeJS.ProcessEnv {
  return {
    ...values,
    ...process.env,
    AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
    AzureWebJobsScriptRoot: appRoot,
    WEBSITE_HOSTNAME: `localhost:${port}`,
    ...extra,
  };
}

/** A missing file reads as nothing. */
function readJson(file: string): unknown {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, '')) : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
