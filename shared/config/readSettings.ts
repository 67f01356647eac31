import { SETTINGS, type SettingKind, type SettingName } from './settings.ts';

/** A setting that cannot be used, by its name; never with its value, which may be a secret. */
export interface ConfigError {
  readonly setting: string;
  readonly fault: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

interface ValueOf {
  text: string;
  guid: string;
  list: readonly string[];
  hosts: readonly string[];
  boolean: boolean;
  origin: string;
  origins: readonly string[];
  url: string;
  json: unknown;
  oneOf: string;
  integer: number;
}

type Read<K extends SettingKind> = K extends { kind: 'oneOf'; values: readonly (infer V)[] } ? V : ValueOf[K['kind']];
type Value<S> = S extends { reads: infer K extends SettingKind }
  ? S extends { default: string }
    ? Read<K>
    : Read<K> | undefined
  : never;

/** Each setting's value: its default where it is absent, undefined where it has none. */
export type SettingValues = { readonly [N in SettingName]: Value<(typeof SETTINGS)[N]> };

/**
 * Reads every setting of the table from the environment. An empty text counts as absent. Where a value cannot be read
 * a fault is added and the default stands in, so that all faults are found in one go.
 */
export function readSettings(environment: Environment, faults: ConfigError[]): SettingValues {
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const fallback = 'default' in setting ? setting.default : undefined;
    const given = (environment[name] ?? hostSetting(environment, name))?.trim();
    const text = given === undefined || given === '' ? fallback : given;
    const result = text === undefined ? { value: undefined } : read(text, setting.reads);
    if ('fault' in result) {
      faults.push({ setting: name, fault: result.fault });
      values[name] = fallback === undefined ? undefined : valueIn(read(fallback, setting.reads));
    } else {
      values[name] = result.value;
    }
  }
  return values as SettingValues; // The loop above is this type's checker.
}

/** The host reads the names of its own settings in any letter case, as .NET's configuration does. */
function hostSetting(environment: Environment, name: string): string | undefined {
  if (!name.startsWith('AzureWebJobs')) return undefined;
  const folded = name.toLowerCase();
  return Object.entries(environment).find(([written]) => written.toLowerCase() === folded)?.[1];
}

type Outcome = { readonly value: unknown } | { readonly fault: string };

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function read(text: string, reads: SettingKind): Outcome {
  switch (reads.kind) {
    case 'text':
      return { value: text };
    case 'guid':
      return GUID.test(text) ? { value: text.toLowerCase() } : { fault: 'must be a GUID' };
    case 'list':
      return readList(text);
    case 'hosts':
      return readHosts(text);
    case 'boolean':
      return text === 'true' || text === 'false' ? { value: text === 'true' } : { fault: 'must be true or false' };
    case 'origin':
      return readOrigin(text);
    case 'origins':
      return readOrigins(text);
    case 'url':
      return readUrl(text);
    case 'json':
      return readJson(text);
    case 'oneOf':
      return reads.values.includes(text) ? { value: text } : { fault: `must be one of ${reads.values.join(', ')}` };
    case 'integer':
      return readInteger(text, reads.min, reads.max);
  }
}

/** A loop: `/\/+$/` takes quadratic time. */
function withoutTrailingSlashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === '/') end -= 1;
  return text.slice(0, end);
}

function readList(text: string): Outcome {
  const values = text.split(',').map((value) => value.trim());
  return values.every((value) => value !== '') ? { value: values } : { fault: 'must be a list separated by commas' };
}

const HOST = /^[a-z0-9-]+(\.[a-z0-9-]+)*(:\d{1,5})?$/i;

/** As URL.host spells them: in lower case, a port only where it is not 443. */
function readHosts(text: string): Outcome {
  const addresses = text.split(',').map((host) => (HOST.test(host.trim()) ? `https://${host.trim()}` : ''));
  return addresses.every((address) => URL.canParse(address))
    ? { value: addresses.map((address) => new URL(address).host) }
    : { fault: 'must be a list of host names separated by commas' };
}

/** https only; plain http is taken for loopback names, which is where a tenant is emulated. */
function readOrigin(text: string): Outcome {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLoopback = url?.hostname === 'localhost' || url?.hostname === '127.0.0.1';
  const isSecure = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback);
  const isBare =
    url?.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  return url && isSecure && isBare ? { value: url.origin } : { fault: 'must be an https address without a path' };
}

/** As browsers write them in the header Origin; `*` only by itself. */
function readOrigins(text: string): Outcome {
  if (text === '*') return { value: ['*'] };
  const origins = text.split(',').map((origin) => readOrigin(origin.trim()));
  // A URL may hold a wildcard, which would equal no Origin that a browser sends.
  return !text.includes('*') && origins.every((origin) => 'value' in origin)
    ? { value: origins.map(({ value }) => value) }
    : { fault: 'must be * or a list of https addresses without a path, separated by commas' };
}

/** Scheme and host in lower case, without a slash at the end. */
function readUrl(text: string): Outcome {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') return { fault: 'must be an http or https address' };
  return { value: withoutTrailingSlashes(url.href) };
}

function readJson(text: string): Outcome {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { fault: 'must be JSON' };
  }
}

function readInteger(text: string, min: number, max: number): Outcome {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? { value } : { fault: `must be a whole number from ${min} to ${max}` };
}

function valueIn(outcome: Outcome): unknown {
  return 'value' in outcome ? outcome.value : undefined;
}
