import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { validate } from '@readme/openapi-parser';
import { buildOpenApi } from '../../../scripts/describe/openApi.ts';
import { toSwagger } from '../../../scripts/describe/swagger.ts';

const ROOT = join(__dirname, '..', '..', '..');

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'connector-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

function connector(...args: string[]) {
  return spawnSync(process.execPath, ['scripts/connector.ts', ...args], { cwd: ROOT, encoding: 'utf8' });
}

const read = (name: string): Record<string, unknown> => JSON.parse(readFileSync(join(folder, name), 'utf8'));

test('writes both files with OAuth2 of the tenant', async () => {
  const ids = ['--tenant', 'the-tenant', '--client', 'the-client', '--api', 'the-api'];
  const { status, stderr } = connector(...ids, '--host', 'func.azurewebsites.net', '--out', folder);

  expect([status, stderr]).toEqual([0, '']);
  const { host, security, securityDefinitions, ...rest } = read('apiDefinition.swagger.json');
  const { host: _, security: __, securityDefinitions: ___, ...expected } = toSwagger(buildOpenApi());
  expect(rest).toEqual(JSON.parse(JSON.stringify(expected)));
  expect(host).toBe('func.azurewebsites.net');
  const scope = 'api://the-api/UploadSession.Create';
  expect(security).toEqual([{ entra: [scope] }]);
  expect(securityDefinitions).toEqual({
    entra: {
      type: 'oauth2',
      flow: 'accessCode',
      authorizationUrl: 'https://login.microsoftonline.com/the-tenant/oauth2/v2.0/authorize',
      tokenUrl: 'https://login.microsoftonline.com/the-tenant/oauth2/v2.0/token',
      scopes: { [scope]: expect.any(String) },
    },
  });
  expect(read('apiProperties.json')).toMatchObject({
    properties: {
      iconBrandColor: expect.stringMatching(/^#[0-9a-f]{6}$/),
      connectionParameters: {
        token: {
          type: 'oauthSetting',
          oAuthSettings: {
            identityProvider: 'aad',
            clientId: 'the-client',
            scopes: [scope],
            customParameters: { tenantId: { value: 'the-tenant' }, resourceUri: { value: 'api://the-api' } },
          },
        },
      },
    },
  });
  await expect(validate(join(folder, 'apiDefinition.swagger.json'))).resolves.toMatchObject({ valid: true });
});

test('prints its usage with --help', () => {
  const { status, stdout } = connector('--help');

  expect([status, stdout]).toEqual([0, expect.stringMatching(/^Usage: npm run connector -- --tenant/)]);
});

test.each([
  [[], '--tenant, --client and --host are needed. Use --help for the usage.\n'],
  [['--tenat', 'x'], "Unknown option '--tenat'. Use --help for the usage.\n"],
  [['x'], "Unexpected argument 'x'. Use --help for the usage.\n"],
  [
    ['--tenant', 't', '--client', 'c', '--host', 'https://host/api'],
    "--host takes a host name without https:// and path, not 'https://host/api'. Use --help for the usage.\n",
  ],
])('names what is wrong with %j in one line', (args, message) => {
  const { status, stderr } = connector(...args);

  expect([status, stderr]).toEqual([2, message]);
});
