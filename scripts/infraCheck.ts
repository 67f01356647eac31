import { deepStrictEqual } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SETTINGS } from '../shared/config/settings.ts';
import { JOB_POISON_QUEUE, JOB_QUEUE } from '../shared/jobs/jobQueue.ts';
import { UPLOAD_CONTAINER } from '../shared/storage/blobContainer.ts';
import { readCommandLine } from './commandLine.ts';
import { checkCombinations } from './infraCombinations.ts';

const USAGE = `Usage: npm run infra:check [-- FOLDER]
Compiles and lints main.bicep of the folder (default infra), then checks what the linter cannot know. Prints the differences
and exits with 1 if there are any, with 0 if there is no compiler.`;

const VERSION = '0.49.2';
const PACKAGE = 'Azure.Bicep.CommandLine.linux-x64';
/** A project that builds nothing: NuGet fetches the package for it, from the feeds and through the proxies of this machine. */
const PROJECT = `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net8.0</TargetFramework></PropertyGroup>
  <PropertyGroup><DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences></PropertyGroup>
  <ItemGroup><PackageDownload Include="${PACKAGE}" Version="[${VERSION}]" /></ItemGroup>
</Project>`;

type JsonObject = Readonly<Record<string, unknown>>;

/** Settings that the template does not deploy: other credentials than the managed identity, and what the platform sets. */
const NOT_DEPLOYED = [
  ...['AZURE_TENANT_ID', 'AZURE_CLIENT_SECRET', 'AZURE_CLIENT_CERTIFICATE_PATH', 'AZURE_CLIENT_CERTIFICATE_PASSWORD'],
  ...['AZURE_FEDERATED_TOKEN_FILE', 'OBO_CREDENTIAL', 'OBO_MANAGED_IDENTITY_CLIENT_ID', 'OBO_CLIENT_SECRET'],
  ...['OBO_CERTIFICATE_PATH', 'AzureWebJobsStorage', 'AzureWebJobsStorage__accountName'],
  ...['AZURE_FUNCTIONS_ENVIRONMENT', 'WEBSITE_AUTH_ENCRYPTION_KEY'],
];

/** Parameters that azd cannot pass on: it puts values between quotes, so no JSON document (policy), number or object. */
const NOT_SET_BY_AZD = [
  ...['policy', 'alertThresholds', 'maximumInstanceCount', 'instanceMemoryMB', 'httpConcurrency'],
  ...['resourceGroupName', 'tags'],
];

/** The app settings are the two objects without their empty values, and nothing else. */
const APP_SETTINGS =
  "[toObject(filter(items(union(parameters('operatorSettings'), variables('otherSettings'))), " +
  "lambda('setting', not(empty(lambdaVariables('setting').value)))), " +
  "lambda('setting', lambdaVariables('setting').key), lambda('setting', lambdaVariables('setting').value))]";

const BODY_LIMIT = "[if(empty(parameters('requestBodyLimitBytes')), '167772160', parameters('requestBodyLimitBytes'))]";

/** All resources of these types, by type and name or the parameter that has it, and the values that docs/security.md relies on. */
const RESOURCES: Readonly<Record<string, JsonObject>> = {
  'Microsoft.Storage/storageAccounts name': {
    'properties.allowSharedKeyAccess': false,
    'properties.allowBlobPublicAccess': false,
    'properties.minimumTlsVersion': 'TLS1_2',
    'properties.supportsHttpsTrafficOnly': true,
  },
  'Microsoft.Storage/storageAccounts/blobServices/containers app-package': {},
  [`Microsoft.Storage/storageAccounts/blobServices/containers ${UPLOAD_CONTAINER}`]: {},
  [`Microsoft.Storage/storageAccounts/queueServices/queues ${JOB_QUEUE}`]: {},
  [`Microsoft.Storage/storageAccounts/queueServices/queues ${JOB_POISON_QUEUE}`]: {},
  'Microsoft.Storage/storageAccounts/managementPolicies default': {
    'properties.policy.rules.0.enabled': true,
    'properties.policy.rules.0.definition.filters.prefixMatch': [`${UPLOAD_CONTAINER}/`],
    'properties.policy.rules.0.definition.actions.baseBlob.delete': { daysAfterModificationGreaterThan: 2 },
  },
  'Microsoft.Insights/components applicationInsightsName': { 'properties.DisableLocalAuth': true },
  'Microsoft.Web/sites name': {
    'identity.type': 'UserAssigned',
    'properties.httpsOnly': true,
    'properties.siteConfig.minTlsVersion': '1.2',
    'properties.siteConfig.scmMinTlsVersion': '1.2',
    'properties.siteConfig.ftpsState': 'Disabled',
    'properties.siteConfig.appSettings': undefined,
    'properties.functionAppConfig.runtime': { name: 'node', version: '22' },
  },
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies ftp': { 'properties.allow': false },
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies scm': { 'properties.allow': false },
};

/** All role assignments, by the name of their scope or the parameter that has it. */
const ROLES = [
  'storageName b7e6dc6d-f1e8-4753-8033-0f276bb0955b', // Storage Blob Data Owner
  'applicationInsightsName 3913510d-42f4-4e42-8a64-420c390055eb', // Monitoring Metrics Publisher
  ...[JOB_QUEUE, JOB_POISON_QUEUE].flatMap((queue) => [
    `${queue} 19e7f393-937e-4f77-808e-94535e297925`, // Storage Queue Data Reader
    `${queue} 8a0f0c08-91a1-4084-bc3d-661d67233fed`, // Storage Queue Data Message Processor
    `${queue} c6a89b2d-59bc-44d0-9896-0f6e12d7b80a`, // Storage Queue Data Message Sender
  ]),
];

/** The Bicep compiler: the file that BICEP names, or `bicep` on PATH, or else the NuGet package, which dotnet puts into `folder`. */
export function findBicep(folder: string): string | undefined {
  const isThere = (command: string) => spawnSync(command, ['--version']).error === undefined;
  const installed = process.env['BICEP'] || 'bicep';
  if (isThere(installed)) return installed;
  if (process.platform !== 'linux' || process.arch !== 'x64' || !isThere('dotnet')) return undefined;
  writeFileSync(join(folder, 'bicep.csproj'), PROJECT);
  const restored = spawnSync('dotnet', ['restore', folder, '--packages', folder], { encoding: 'utf8' });
  if (restored.status !== 0) throw new Error(`dotnet cannot fetch ${PACKAGE} ${VERSION}:\n${restored.stdout}`);
  const bicep = join(folder, PACKAGE.toLowerCase(), VERSION, 'tools/bicep');
  chmodSync(bicep, 0o700);
  return bicep;
}

function checkFolder(folder: string, bicep: string): void {
  const args = ['build', join(folder, 'main.bicep'), '--stdout'];
  const build = spawnSync(bicep, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  // Errors and warnings, of the linter too.
  if (build.status !== 0 || build.stderr.trim() !== '') throw new Error(build.stderr);
  const main: unknown = JSON.parse(build.stdout);
  const parametersFile: unknown = JSON.parse(readFileSync(join(folder, 'main.parameters.json'), 'utf8'));
  const parameters = Object.keys(objectAt(main, 'parameters'));
  const resources = resourcesOf(main);
  const roles = resources.filter(({ type }) => type === 'Microsoft.Authorization/roleAssignments');
  const actual = {
    resources: valuesOf(resources),
    roles: roles
      .map((role) => `${lastText(role['scope'])} ${lastText(at(role, 'properties.roleDefinitionId'))}`)
      .sort(),
    settings: kindsOfSettings(main, resources),
    appSettings: resources.filter(({ name }) => lastText(name) === 'appsettings').map(({ properties }) => properties),
    bodyLimit: at(main, 'variables.bodyLimitBytes'),
    parametersFile: Object.keys(objectAt(parametersFile, 'parameters')).sort(),
    keyLookups: build.stdout.match(/\blist(?!OutputsWithSecureValues)\w*\(/g),
  };
  deepStrictEqual(actual, {
    resources: RESOURCES,
    roles: ROLES.sort(),
    settings: expectedKinds(),
    appSettings: [APP_SETTINGS],
    bodyLimit: BODY_LIMIT,
    parametersFile: parameters.filter((name) => !NOT_SET_BY_AZD.includes(name)).sort(),
    keyLookups: null, // A key would be readable in a setting or in the history of the deployment.
  });
  const undescribed = parameters.filter((name) => at(main, `parameters.${name}.metadata.description`) === undefined);
  if (undescribed.length > 0) throw new Error(`These parameters have no description: ${undescribed.join(', ')}`);
  console.log(`ok: ${folder}/main.bicep`);
  checkCombinations(bicep, build.stdout);
}

/** The resources of a template and of its nested deployments. They are an array, or in language version 2.0 an object. */
function resourcesOf(template: unknown): readonly JsonObject[] {
  const resources = Object.values(objectAt(template, 'resources'));
  return resources.flatMap((resource) => [Object(resource), ...resourcesOf(at(resource, 'properties.template'))]);
}

function valuesOf(resources: readonly JsonObject[]): JsonObject {
  const checked = resources.filter(({ type }) => Object.keys(RESOURCES).some((key) => key.startsWith(`${type} `)));
  const entries = checked.map((resource) => {
    const key = `${resource['type']} ${lastText(resource['name'])}`;
    return [key, Object.fromEntries(Object.keys(RESOURCES[key] ?? {}).map((path) => [path, at(resource, path)]))];
  });
  return Object.fromEntries(entries);
}

/** For each app setting, `secure` or the values that its parameter allows. */
function kindsOfSettings(main: unknown, resources: readonly JsonObject[]): JsonObject {
  const api = resources.find((resource) => at(resource, 'properties.template.variables.otherSettings') !== undefined);
  const other = objectAt(api, 'properties.template.variables.otherSettings');
  const kinds = Object.entries({ ...objectAt(main, 'variables.operatorSettings'), ...other }).map(([name, value]) => {
    const source = String(at(api, `properties.parameters.${lastText(value)}.value`));
    const isSecure =
      at(api, `properties.template.parameters.${lastText(value)}.type`) === 'securestring' &&
      (at(main, `parameters.${lastText(source)}.type`) === 'securestring' ||
        source.startsWith('[listOutputsWithSecureValues('));
    return [name, isSecure ? 'secure' : at(main, `parameters.${lastText(value)}.allowedValues`)];
  });
  return Object.fromEntries(kinds);
}

function expectedKinds(): JsonObject {
  const kinds = Object.entries(SETTINGS).map(([name, { reads, ...setting }]) => {
    const values = reads.kind === 'oneOf' ? reads.values : reads.kind === 'boolean' ? ['true', 'false'] : undefined;
    const allowed = values && name !== 'GRAPH_CREDENTIAL' ? ['', ...values] : undefined; // '' leaves the setting out.
    return [name, 'secret' in setting ? 'secure' : allowed] as const;
  });
  const deployed = kinds.filter(([name]) => !NOT_DEPLOYED.includes(name));
  return { ...Object.fromEntries(deployed), APPLICATIONINSIGHTS_AUTHENTICATION_STRING: undefined };
}

/** The last quoted text of an expression, such as the name in `[parameters('name')]`. */
function lastText(expression: unknown): string | undefined {
  return /'([\w.-]+)'\)+\]$/.exec(String(expression))?.[1];
}

/** The value at a dotted path. */
function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((object, key) => Object(object)[key], value);
}

function objectAt(value: unknown, path: string): JsonObject {
  return Object(at(value, path));
}

function main(folder: string): void {
  const temporary = mkdtempSync(join(tmpdir(), 'bicep-')); // Not a fixed folder, which another user could fill in advance.
  try {
    const bicep = findBicep(temporary);
    if (bicep !== undefined) checkFolder(folder, bicep);
    else console.log('skipped: neither bicep nor dotnet (on x64 Linux) is on PATH, and BICEP is not set');
  } catch (error) {
    console.log(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  } finally {
    rmSync(temporary, { recursive: true });
  }
}

if (process.argv[1] === import.meta.filename) main(readCommandLine(USAGE, {}).positionals[0] ?? 'infra');
