import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A missing file reads as undefined. @throws SyntaxError if the file is not JSON */
export function readJson(file: string): unknown {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, '')) : undefined;
}

export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** `Values` of local.settings.json without nulls. @throws SyntaxError if the file is not JSON */
export function readLocalValues(appRoot: string): Record<string, string> {
  const listed: object = Object(member(readJson(path.join(appRoot, 'local.settings.json')), 'Values'));
  const present = Object.entries(listed).filter(([, value]) => value !== null);
  return Object.fromEntries(present.map(([name, value]) => [name, String(value)]));
}

/**
 * The settings of an app as `func start` makes them: environment variables override local.settings.json, `extra` overrides
 * both (Azure Functions Core Tools: StartHostAction). @throws SyntaxError if the file is not JSON
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
