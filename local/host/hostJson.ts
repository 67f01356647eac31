import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { member, readJson } from './settings.ts';

export interface HostJson {
  /** The prefix of every route: `extensions.http.routePrefix`, or `api`. */
  readonly routePrefix: string;
  /** `functionTimeout`; undefined: `-1`, no timeout. */
  readonly functionTimeoutMs: number | undefined;
  /** Undefined: no queue triggers, because there is no `extensionBundle` and no extensions in `bin`. */
  readonly queues: QueueOptions | undefined;
}

/** `extensions.queues` of host.json (learn.microsoft.com/azure/azure-functions/functions-bindings-storage-queue). */
export interface QueueOptions {
  /** The maximum number of messages in one poll, at most 32. */
  readonly batchSize: number;
  /** The next poll waits until at most this many messages are in work. */
  readonly newBatchThreshold: number;
  /** The delivery at which a failure sends a message to the poison queue. */
  readonly maxDequeueCount: number;
  /** How long a message stays invisible after a failure. */
  readonly visibilityTimeoutMs: number;
  readonly maxPollingIntervalMs: number;
  readonly messageEncoding: 'base64' | 'none';
}

/** On every plan but Consumption (Azure Functions host: ScriptJobHostOptionsSetup). */
const DEFAULT_FUNCTION_TIMEOUT = '00:30:00';
const DEFAULT_BATCH_SIZE = 16;
const MAX_BATCH_SIZE = 32;
const DEFAULT_POLLING_MS = 60_000;
const DEVELOPMENT_POLLING_MS = 2_000;

/**
 * Reads host.json of an app (learn.microsoft.com/azure/azure-functions/functions-host-json). A setting
 * `AzureFunctionsJobHost__a__b` overrides the member b of a.
 *
 * @throws Error if the file is not JSON, or its batch size is invalid
 */
export function readHostJson(appRoot: string, settings: NodeJS.ProcessEnv): HostJson {
  const file = readJson(path.join(appRoot, 'host.json'));
  const find = (...names: string[]) =>
    settings[['AzureFunctionsJobHost', ...names].join('__')] ?? names.reduce(member, file);
  const routePrefix = find('extensions', 'http', 'routePrefix');
  const isDevelopment = settings['AZURE_FUNCTIONS_ENVIRONMENT']?.toLowerCase() === 'development';
  return {
    routePrefix: typeof routePrefix === 'string' ? routePrefix : 'api',
    functionTimeoutMs: parseTimeSpan(find('functionTimeout') ?? DEFAULT_FUNCTION_TIMEOUT),
    queues:
      find('extensionBundle', 'id') !== undefined || existsSync(path.join(appRoot, 'bin', 'extensions.json'))
        ? readQueueOptions((name) => find('extensions', 'queues', name), isDevelopment)
        : undefined,
  };
}

/**
 * @param find a member of `extensions.queues`
 * @param isDevelopment shortens the default polling interval to two seconds
 * @throws Error as the extension does, if the batch size is invalid
 */
export function readQueueOptions(find: (name: string) => unknown, isDevelopment: boolean): QueueOptions {
  const batchSize = Number(find('batchSize') ?? DEFAULT_BATCH_SIZE);
  if (!(batchSize >= 1 && batchSize <= MAX_BATCH_SIZE)) {
    throw new Error(`host.json: extensions.queues.batchSize must be from 1 to ${MAX_BATCH_SIZE}.`);
  }
  const polling = parseTimeSpan(find('maxPollingInterval')) ?? DEFAULT_POLLING_MS;
  return {
    batchSize,
    newBatchThreshold: Number(find('newBatchThreshold') ?? Math.floor(batchSize / 2) * availableParallelism()),
    maxDequeueCount: Number(find('maxDequeueCount') ?? 5),
    visibilityTimeoutMs: parseTimeSpan(find('visibilityTimeout')) ?? 0,
    maxPollingIntervalMs: isDevelopment && polling === DEFAULT_POLLING_MS ? DEVELOPMENT_POLLING_MS : polling,
    messageEncoding: String(find('messageEncoding')).toLowerCase() === 'none' ? 'none' : 'base64',
  };
}

/** Reads a .NET time span, `[d.]hh:mm:ss[.fffffff]`, into milliseconds. Undefined: it is not one. */
function parseTimeSpan(text: unknown): number | undefined {
  const [, days = 0, hours, minutes, seconds] =
    (typeof text === 'string' && /^(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d{1,7})?)$/.exec(text)) || [];
  if (hours === undefined) return undefined;
  return (((Number(days) * 24 + Number(hours)) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
}
