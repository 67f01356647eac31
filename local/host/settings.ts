import path from 'node:path';
import { member, readJson } from './readJson.ts';

/** `Values` of local.settings.json, nulls skipped. Throws when the file is not JSON. */
export function readLocalValues(appRoot: string): Record<string, string> {
  const listed = member(readJson(path.join(appRoot, 'local.settings.json')), 'Values');
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(typeof listed === 'object' && listed !== null ? listed : {})) {
    if (value !== null) {
      values[name] = String(value);
    }
  }
  return values;
}

/**
 * The settings of an app as `func start` makes them: those of local.settings.json only where the process has no such
 * variable. What is in `extra` wins over all. Throws when the file is not JSON.
 * (Azure Functions Core Tools: StartHostAction)
 */
export function readAppSettings(appRoot: string, extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return {
    ...readLocalValues(appRoot),
    ...process.env,
    AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
    AzureWebJobsScriptRoot: appRoot,
    ...extra,
  };
}
