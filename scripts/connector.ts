import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SETTINGS } from '../shared/config/settings.ts';
import { endWrongCall, readOptions } from './commandLine.ts';
import { buildOpenApi } from './describe/openApi.ts';
import { toSwagger } from './describe/swagger.ts';

const USAGE = `Usage: npm run connector -- --tenant ID --client ID --host HOST [options]
Writes apiDefinition.swagger.json and apiProperties.json of a custom connector that signs its users in with Entra.
  --tenant ID     the tenant
  --client ID     client id of the app registration that the connector signs in with
  --host HOST     host name of the proxy, such as func-api-1.azurewebsites.net
  --api ID        client id of the API's registration, if it is not the same as --client
  --scope NAME    delegated scope of the API (default ${SETTINGS.API_ROLE.default})
  --out FOLDER    folder to write to (default connector)`;

const REDIRECT_URL = 'https://global.consent.azure-apim.net/redirect';
const LOGIN = 'https://login.microsoftonline.com';

const { tenant, client, host, api, scope, out } = readOptions(USAGE, {
  tenant: { type: 'string' },
  client: { type: 'string' },
  host: { type: 'string' },
  api: { type: 'string' },
  scope: { type: 'string', default: SETTINGS.API_ROLE.default },
  out: { type: 'string', default: 'connector' },
});
if (!tenant || !client || !host) endWrongCall('--tenant, --client and --host are needed');
if (!/^[\w.-]+(:\d+)?$/.test(host)) endWrongCall(`--host takes a host name without https:// and path, not '${host}'`);

const resource = `api://${api ?? client}`;
const oauthScope = `${resource}/${scope}`;

const definition = {
  ...toSwagger(buildOpenApi()),
  host,
  securityDefinitions: {
    entra: {
      type: 'oauth2',
      flow: 'accessCode',
      authorizationUrl: `${LOGIN}/${tenant}/oauth2/v2.0/authorize`,
      tokenUrl: `${LOGIN}/${tenant}/oauth2/v2.0/token`,
      scopes: { [oauthScope]: 'Attach files for the user' },
    },
  },
  security: [{ entra: [oauthScope] }],
};

/** As paconn and pac read it: github.com/microsoft/PowerPlatformConnectors, schemas/paconn-apiProperties.schema.json. */
const properties = {
  properties: {
    iconBrandColor: '#0f6cbd',
    capabilities: ['actions'],
    connectionParameters: {
      token: {
        type: 'oauthSetting',
        oAuthSettings: {
          identityProvider: 'aad',
          clientId: client,
          scopes: [oauthScope],
          redirectMode: 'Global',
          redirectUrl: REDIRECT_URL,
          properties: { IsFirstParty: 'False', AzureActiveDirectoryResourceId: resource },
          customParameters: {
            loginUri: { value: LOGIN },
            tenantId: { value: tenant },
            resourceUri: { value: resource },
          },
        },
      },
    },
    policyTemplateInstances: [],
  },
};

mkdirSync(out, { recursive: true });
for (const [name, content] of Object.entries({ 'apiDefinition.swagger': definition, apiProperties: properties })) {
  writeFileSync(join(out, `${name}.json`), `${JSON.stringify(content, null, 2)}\n`);
  console.log(join(out, `${name}.json`));
}
console.log(`Add the redirect URL ${REDIRECT_URL} to the registration ${client}.`);
