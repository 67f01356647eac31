import { deepStrictEqual } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Parameters = Readonly<Record<string, string | number>>;
type Resource = Readonly<Record<string, unknown>>;

const SUBSCRIPTION = '00000000-0000-0000-0000-000000000001';
const NETWORK_GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/network`;
const SUBNETS = `${NETWORK_GROUP}/providers/Microsoft.Network/virtualNetworks/hub/subnets`;

const PUBLIC = { storage: 'Enabled', app: 'Enabled', endpoints: 0, zones: 0 };
const PRIVATE_STORAGE = { ...PUBLIC, storage: 'Disabled', endpoints: 3, zones: 3 };
const endpoints = { appSubnetId: `${SUBNETS}/app`, privateEndpointSubnetId: `${SUBNETS}/endpoints` };

/** The networks, and what the template must make of them. */
const NETWORKS: readonly { readonly parameters: Parameters; readonly expected: typeof PUBLIC }[] = [
  { parameters: {}, expected: PUBLIC },
  { parameters: { appSubnetId: endpoints.appSubnetId }, expected: PUBLIC },
  { parameters: endpoints, expected: PRIVATE_STORAGE },
  {
    parameters: { ...endpoints, publicAccess: 'false', privateDnsZoneGroupId: NETWORK_GROUP },
    expected: { ...PRIVATE_STORAGE, app: 'Disabled', zones: 0 },
  },
];

const JOBS: readonly Parameters[] = [
  {},
  { jobKey: 'key', jobTimeoutMinutes: '30', httpConcurrency: 8, instanceMemoryMB: 4096 },
];

const CALLERS: readonly Parameters[] = [
  { callerAuth: 'functionKey' },
  { callerAuth: 'entra', easyAuthClientId: SUBSCRIPTION },
];

/** Networks that would leave the app without its storage or without an address. */
const REFUSED: readonly Parameters[] = [
  { privateEndpointSubnetId: endpoints.privateEndpointSubnetId },
  { appSubnetId: endpoints.appSubnetId, publicAccess: 'false' },
];

/** Evaluates the compiled template with every combination of network, jobs and callers. @throws Error naming the parameters */
export function checkCombinations(bicep: string, template: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'infra-'));
  try {
    writeFileSync(join(folder, 'main.json'), template);
    let count = 0;
    for (const { parameters: network, expected } of NETWORKS) {
      for (const parameters of JOBS.flatMap((jobs) =>
        CALLERS.map((callers) => ({ ...network, ...jobs, ...callers })),
      )) {
        deepStrictEqual(summarize(evaluate(bicep, folder, parameters)), summaryOf(parameters, expected));
        count += 1;
      }
    }
    for (const parameters of REFUSED) {
      const isRefused = typeof evaluate(bicep, folder, parameters) === 'string';
      if (!isRefused) throw new Error(`The template accepts ${JSON.stringify(parameters)}.`);
    }
    console.log(`ok: ${count} combinations of parameters, ${REFUSED.length} refused`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The resources that a deployment would have, or the error. The compiler evaluates the template without Azure. */
function evaluate(bicep: string, folder: string, parameters: Parameters): readonly Resource[] | string {
  const all = { environmentName: 'check', location: 'westeurope', ...parameters };
  const lines = Object.entries(all).map(([name, value]) => {
    return `param ${name} = ${typeof value === 'number' ? value : `'${value}'`}\n`;
  });
  writeFileSync(join(folder, 'main.bicepparam'), `using 'main.json'\n${lines.join('')}`);
  const place = ['--subscription-id', SUBSCRIPTION, '--location', 'westeurope'];
  const args = ['snapshot', join(folder, 'main.bicepparam'), '--mode', 'overwrite', ...place];
  const { status, stderr } = spawnSync(bicep, args, { encoding: 'utf8' });
  if (status !== 0) return stderr;
  return JSON.parse(readFileSync(join(folder, 'main.snapshot.json'), 'utf8')).predictedResources;
}

function summarize(resources: readonly Resource[] | string) {
  if (typeof resources === 'string') throw new Error(resources);
  const find = (type: string, name = '') =>
    Object(resources.find((one) => `${one['type']}`.endsWith(`/${type}`) && `${one['name']}`.includes(name)));
  const app = find('sites');
  const storage = find('storageAccounts');
  const settings = find('config', 'appsettings');
  const auth = find('config', 'authsettingsV2');
  const countOf = (type: string) => resources.filter((one) => `${one['type']}`.endsWith(`/${type}`)).length;
  return {
    storage: storage.properties.publicNetworkAccess,
    app: app.properties.publicNetworkAccess,
    subnet: app.properties.virtualNetworkSubnetId ?? undefined,
    scale: app.properties.functionAppConfig.scaleAndConcurrency,
    endpoints: countOf('privateEndpoints'),
    zones: countOf('privateDnsZones'),
    alerts: countOf('scheduledQueryRules'),
    workbooks: countOf('workbooks'),
    callerAuth: settingOf(settings.properties, 'CALLER_AUTH'),
    jobTimeout: settingOf(settings.properties, 'JOB_TIMEOUT_MINUTES'),
    hasEasyAuth: auth.properties !== undefined,
  };
}

/** The settings stay an expression, because some are outputs of other resources: `createObject('key', 'JOB_KEY', 'value', 'text')`. */
function settingOf(expression: unknown, name: string): string | undefined {
  return String(expression).split(`createObject('key', '${name}', 'value', '`)[1]?.split("'")[0] || undefined;
}

function summaryOf(parameters: Parameters, expected: typeof PUBLIC): Resource {
  const { appSubnetId, callerAuth, jobTimeoutMinutes, httpConcurrency, instanceMemoryMB = 2048 } = parameters;
  return {
    ...expected,
    alerts: 12,
    workbooks: 1,
    subnet: appSubnetId,
    scale: {
      instanceMemoryMB,
      maximumInstanceCount: 100,
      ...(httpConcurrency !== undefined && { triggers: { http: { perInstanceConcurrency: httpConcurrency } } }),
    },
    callerAuth,
    jobTimeout: jobTimeoutMinutes,
    hasEasyAuth: callerAuth === 'entra',
  };
}
