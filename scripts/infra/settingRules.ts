import { SETTINGS, type SettingKind, type SettingName } from '../../shared/config/settings.ts';
import {
  type ArmResource,
  type ArmTemplate,
  allResources,
  at,
  isObject,
  type JsonObject,
  nestedTemplate,
  referredName,
} from './armTemplate.ts';
import { type Assertion, differences } from './assertion.ts';

/** Settings of the app that the template leaves alone, each with the reason. Every other one must be there. */
const NOT_DEPLOYED: Partial<Record<SettingName, string>> = {
  AZURE_TENANT_ID: 'a managed identity needs no tenant',
  AZURE_CLIENT_SECRET: 'a managed identity has no secret',
  AZURE_CLIENT_CERTIFICATE_PATH: 'a managed identity has no certificate',
  AZURE_CLIENT_CERTIFICATE_PASSWORD: 'a managed identity has no certificate',
  AZURE_FEDERATED_TOKEN_FILE: 'it belongs to workloads outside Functions',
  OBO_CREDENTIAL: 'the managed identity is the credential on behalf of users too',
  OBO_MANAGED_IDENTITY_CLIENT_ID: 'it is the identity of AZURE_CLIENT_ID',
  OBO_CLIENT_SECRET: 'a managed identity has no secret',
  OBO_CERTIFICATE_PATH: 'a managed identity has no certificate',
  AZURE_FUNCTIONS_ENVIRONMENT: 'the platform sets it',
  WEBSITE_AUTH_ENCRYPTION_KEY: 'the platform sets it',
  AzureWebJobsStorage: 'the account takes no key',
  AzureWebJobsStorage__accountName: 'the addresses are right in every cloud',
};

/** The setting that bounds a request's body, and what main.bicep makes of its parameter: 150 MiB, and room for the framing of chunks. */
const BODY_LIMIT = 'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT';
const BODY_LIMIT_BYTES =
  "[if(empty(parameters('requestBodyLimitBytes')), '167772160', parameters('requestBodyLimitBytes'))]";

/** Settings of the platform. FUNCTIONS_WORKER_RUNTIME and WEBSITE_RUN_FROM_PACKAGE would be refused by Flex Consumption. */
const PLATFORM_SETTINGS = ['APPLICATIONINSIGHTS_AUTHENTICATION_STRING'];

/** Parameters that azd does not hand over. It puts texts between quotes: no JSON document (policy), number or object. */
const NOT_SET_THROUGH_AZD = ['policy', 'maximumInstanceCount', 'resourceGroupName', 'tags'];

/** The members of the two objects that api.bicep merges, where they are not empty, and nothing else. */
const APP_SETTINGS =
  "[toObject(filter(items(union(parameters('operatorSettings'), variables('otherSettings'))), " +
  "lambda('setting', not(empty(lambdaVariables('setting').value)))), " +
  "lambda('setting', lambdaVariables('setting').key), lambda('setting', lambdaVariables('setting').value))]";

interface DeclaredSettings {
  readonly faults: readonly string[];
  /** The settings that main.bicep hands to api.bicep in one object. */
  readonly operator: JsonObject;
  /** The settings that api.bicep adds. */
  readonly other: JsonObject;
  /** The nested deployment that api.bicep became. */
  readonly api: ArmResource | undefined;
}

/** What must hold for the app settings: they are those of SETTINGS, with the values that SETTINGS allows. */
export function checkSettings(template: ArmTemplate, parametersFile: unknown): readonly Assertion[] {
  const declared = declaredSettings(template);
  const names = [...Object.keys(declared.operator), ...Object.keys(declared.other)];
  const deployed = Object.keys(SETTINGS).filter((name) => !(name in NOT_DEPLOYED));
  return [
    { says: 'app settings: declared in two plain objects', faults: declared.faults },
    {
      says: 'app settings: exactly those of shared/config/settings.ts and those of the platform',
      faults: differences(names, [...deployed, ...PLATFORM_SETTINGS]),
    },
    ...Object.entries(NOT_DEPLOYED).map(([name, reason]) => ({
      says: `app settings: no ${name}, ${reason}`,
      faults: names.includes(name) ? [`${name} is set`] : [],
    })),
    { says: 'app settings: secrets travel as secure parameters', faults: plainSecrets(declared, template) },
    {
      says: "app settings: a request's body is bounded, at 160 MiB or as asked",
      faults: wrongBodyLimit(declared, template),
    },
    { says: 'parameters: the allowed values are those of the settings', faults: wrongValues(declared, template) },
    { says: 'parameters: main.parameters.json hands them over', faults: notHandedOver(template, parametersFile) },
  ];
}

function declaredSettings(template: ArmTemplate): DeclaredSettings {
  const faults: string[] = [];
  const isAppSettings = ({ type, name }: ArmResource) =>
    type === 'Microsoft.Web/sites/config' && /'appsettings'/.test(name);
  const resources = allResources(template);
  const configs = resources.filter(isAppSettings);
  if (configs.length !== 1) faults.push(`there are ${configs.length} appsettings resources`);
  if (configs.some(({ body }) => body['properties'] !== APP_SETTINGS))
    faults.push(`appsettings are not ${APP_SETTINGS}`);
  if (resources.some(({ body }) => at(body, 'properties.siteConfig.appSettings') !== undefined)) {
    faults.push('siteConfig.appSettings is set as well');
  }
  const api = template.resources.find((resource) => nestedTemplate(resource)?.resources.some(isAppSettings));
  if (handedOver(api, 'operatorSettings') !== "[variables('operatorSettings')]") {
    faults.push('operatorSettings of api.bicep is not the variable of main.bicep');
  }
  const operator = template.variables['operatorSettings'];
  const other = api && nestedTemplate(api)?.variables['otherSettings'];
  if (!isObject(operator)) faults.push('operatorSettings is not a plain object');
  if (!isObject(other)) faults.push('otherSettings is not a plain object');
  return { faults, operator: isObject(operator) ? operator : {}, other: isObject(other) ? other : {}, api };
}

function handedOver(api: ArmResource | undefined, parameter: string): unknown {
  return at(api?.body, `properties.parameters.${parameter}.value`);
}

function plainSecrets({ operator, other, api }: DeclaredSettings, template: ArmTemplate): string[] {
  const secrets = Object.entries(SETTINGS).flatMap(([name, setting]) => ('secret' in setting ? [name] : []));
  const apiTemplate = api && nestedTemplate(api);
  return secrets.flatMap((name) => {
    if (name in operator) return [`${name} travels in a plain object`];
    if (!(name in other)) return [];
    const parameter = referredName(other[name], 'parameters');
    if (parameter === undefined || !isSecure(apiTemplate, parameter))
      return [`${name} is not a secure parameter of api.bicep`];
    const source = handedOver(api, parameter);
    const outer = referredName(source, 'parameters');
    const isSafe = outer === undefined ? isSecureOutput(source) : isSecure(template, outer);
    return isSafe ? [] : [`${name} is not a secure parameter of main.bicep`];
  });
}

function wrongBodyLimit({ other, api }: DeclaredSettings, template: ArmTemplate): string[] {
  const parameter = referredName(other[BODY_LIMIT], 'parameters');
  const variable = parameter && referredName(handedOver(api, parameter), 'variables');
  const bytes = variable && template.variables[variable];
  return bytes === BODY_LIMIT_BYTES ? [] : [`${BODY_LIMIT} is ${JSON.stringify(bytes)}`];
}

function isSecure(template: ArmTemplate | undefined, parameter: string): boolean {
  return at(template?.parameters, `${parameter}.type`) === 'securestring';
}

function isSecureOutput(expression: unknown): boolean {
  return typeof expression === 'string' && expression.startsWith('[listOutputsWithSecureValues(');
}

function wrongValues({ operator }: DeclaredSettings, template: ArmTemplate): string[] {
  return Object.entries(SETTINGS).flatMap(([name, { reads }]) => {
    if (!(name in operator)) return [];
    const parameter = referredName(operator[name], 'parameters');
    if (parameter === undefined) return [`${name} does not come from a parameter`];
    const allowed = at(template.parameters, `${parameter}.allowedValues`);
    const expected = allowedValues(reads);
    const isRight = JSON.stringify(allowed) === JSON.stringify(expected);
    return isRight ? [] : [`${parameter} allows ${JSON.stringify(allowed)}, not ${JSON.stringify(expected)}`];
  });
}

/** The empty text leaves a setting out. */
function allowedValues(reads: SettingKind): readonly string[] | undefined {
  if (reads.kind === 'oneOf') return ['', ...reads.values];
  return reads.kind === 'boolean' ? ['', 'true', 'false'] : undefined;
}

function notHandedOver(template: ArmTemplate, parametersFile: unknown): string[] {
  const handed = at(parametersFile, 'parameters');
  const wanted = Object.keys(template.parameters).filter((name) => !NOT_SET_THROUGH_AZD.includes(name));
  return differences(isObject(handed) ? Object.keys(handed) : [], wanted);
}
