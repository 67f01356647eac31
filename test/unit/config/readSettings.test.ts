import fc from 'fast-check';
import {
  type ConfigError,
  type Environment,
  readSettings,
  type SettingValues,
} from '../../../shared/config/readSettings.ts';
import { SETTINGS, type SettingName } from '../../../shared/config/settings.ts';

function read(environment: Environment): { values: SettingValues; faults: ConfigError[] } {
  const faults: ConfigError[] = [];
  return { values: readSettings(environment, faults), faults };
}

const ORIGINS = 'must be * or a list of https addresses without a path, separated by commas';

const names = Object.keys(SETTINGS) as SettingName[];

describe('readSettings', () => {
  it('gives every default of the table without a fault', () => {
    const { values, faults } = read({});

    expect(faults).toEqual([]);
    expect(Object.keys(values).sort()).toEqual([...names].sort());
    expect(values).toMatchObject({
      CALLER_AUTH: 'functionKey',
      GRAPH_BASE_URL: 'https://graph.microsoft.com',
      GRAPH_CREDENTIAL: 'managedIdentity',
      REQUEST_TIMEOUT_MS: 30_000,
      GRAPH_MAX_ATTEMPTS: 4,
      ALLOW_ANY_MAILBOX: false,
      MAX_OUTLOOK_ATTACHMENT_BYTES: 157_286_400,
      MAX_TODO_ATTACHMENT_BYTES: 26_214_400,
      LOG_MAILBOX: 'hashed',
      ME_MAILBOX: undefined,
      POLICY: undefined,
    });
  });

  it('counts an empty value as absent', () => {
    expect(read(Object.fromEntries(names.map((name) => [name, ' '])))).toEqual(read({}));
  });

  it.each([
    ['ME_MAILBOX', ' adele@contoso.example ', 'adele@contoso.example'],
    ['ENTRA_TENANT_ID', 'C0FFEE00-7E57-4AB1-9D2C-3F4E5A6B7C8D', 'c0ffee00-7e57-4ab1-9d2c-3f4e5a6b7c8d'],
    ['API_AUDIENCE', 'api://a , b', ['api://a', 'b']],
    ['ALLOW_ANY_MAILBOX', 'true', true],
    ['ALLOW_ANY_MAILBOX', 'false', false],
    ['GRAPH_BASE_URL', 'https://graph.microsoft.us', 'https://graph.microsoft.us'],
    ['GRAPH_BASE_URL', 'https://Graph.Microsoft.US/', 'https://graph.microsoft.us'],
    ['GRAPH_BASE_URL', 'https://localhost:8443', 'https://localhost:8443'],
    ['AZURE_AUTHORITY_HOST', 'http://127.0.0.1:9000', 'http://127.0.0.1:9000'],
    ['POLICY', '{"callers":[]}', { callers: [] }],
    ['GRAPH_CREDENTIAL', 'workloadIdentity', 'workloadIdentity'],
    ['REQUEST_TIMEOUT_MS', '100', 100],
    ['REQUEST_TIMEOUT_MS', '220000', 220_000],
    ['GRAPH_MAX_ATTEMPTS', '1', 1],
    ['UPLOAD_URL', 'proxy', 'proxy'],
    ['PUBLIC_BASE_URL', 'https://uploads.contoso.com', 'https://uploads.contoso.com'],
    ['PUBLIC_BASE_URL', 'http://127.0.0.1:7071', 'http://127.0.0.1:7071'],
    ['CORS_ALLOWED_ORIGINS', '*', ['*']],
    [
      'CORS_ALLOWED_ORIGINS',
      'https://AddIn.contoso.com/ ,http://localhost:3000',
      ['https://addin.contoso.com', 'http://localhost:3000'],
    ],
    ['FUNCTIONS_REQUEST_BODY_SIZE_LIMIT', '167772160', 167_772_160],
    ['UPLOAD_HOSTS', 'Outlook.Office.com:443 , 127.0.0.1:8443', ['outlook.office.com', '127.0.0.1:8443']],
    ['MAILBOX_QUEUE_LENGTH', '0', 0],
  ] as const)('reads %s=%s', (name, text, value) => {
    const { values, faults } = read({ [name]: text });

    expect(faults).toEqual([]);
    expect(values[name]).toEqual(value);
  });

  it.each([
    ['ENTRA_TENANT_ID', 'contoso.example', 'must be a GUID'],
    ['AZURE_CLIENT_ID', '1f6c3a52', 'must be a GUID'],
    ['API_AUDIENCE', 'a,,b', 'must be a list separated by commas'],
    ['ALLOW_ANY_MAILBOX', 'TRUE', 'must be true or false'],
    ['ALLOW_ANY_MAILBOX', '1', 'must be true or false'],
    ['GRAPH_BASE_URL', 'graph.microsoft.com', 'must be an https address without a path'],
    ['GRAPH_BASE_URL', 'http://graph.microsoft.com', 'must be an https address without a path'],
    ['GRAPH_BASE_URL', 'https://graph.microsoft.com/v1.0', 'must be an https address without a path'],
    ['GRAPH_BASE_URL', 'https://graph.microsoft.com/?a', 'must be an https address without a path'],
    ['GRAPH_BASE_URL', 'https://u:p@graph.microsoft.com', 'must be an https address without a path'],
    ['GRAPH_BASE_URL', 'file:///etc', 'must be an https address without a path'],
    ['AZURE_AUTHORITY_HOST', 'http://127.0.0.1.example', 'must be an https address without a path'],
    ['PUBLIC_BASE_URL', 'http://uploads.contoso.com', 'must be an https address without a path'],
    ['PUBLIC_BASE_URL', 'https://uploads.contoso.com/api', 'must be an https address without a path'],
    ['UPLOAD_URL', 'Graph', 'must be one of graph, proxy'],
    ['CORS_ALLOWED_ORIGINS', '*,https://addin.contoso.com', ORIGINS],
    ['CORS_ALLOWED_ORIGINS', 'https://*.contoso.com', ORIGINS],
    ['CORS_ALLOWED_ORIGINS', 'https://addin.contoso.com/taskpane.html', ORIGINS],
    ['CORS_ALLOWED_ORIGINS', 'addin.contoso.com', ORIGINS],
    ['CORS_ALLOWED_ORIGINS', 'null', ORIGINS],
    ['UPLOAD_HOSTS', 'https://outlook.office.com', 'must be a list of host names separated by commas'],
    ['UPLOAD_HOSTS', 'outlook.office.com/path', 'must be a list of host names separated by commas'],
    ['UPLOAD_HOSTS', '*.office.com', 'must be a list of host names separated by commas'],
    ['UPLOAD_HOSTS', 'a@outlook.office.com', 'must be a list of host names separated by commas'],
    ['UPLOAD_HOSTS', 'outlook.office.com:65536', 'must be a list of host names separated by commas'],
    ['UPLOAD_HOSTS', 'a,,b', 'must be a list of host names separated by commas'],
    ['POLICY', '{callers:[]}', 'must be JSON'],
    ['CALLER_AUTH', 'Entra', 'must be one of functionKey, entra'],
    ['LOG_MAILBOX', 'clear', 'must be one of hashed, plain'],
    ['REQUEST_TIMEOUT_MS', '99', 'must be a whole number from 100 to 220000'],
    ['REQUEST_TIMEOUT_MS', '220001', 'must be a whole number from 100 to 220000'],
    ['REQUEST_TIMEOUT_MS', '1e3', 'must be a whole number from 100 to 220000'],
    ['GRAPH_MAX_ATTEMPTS', '0', 'must be a whole number from 1 to 4'],
    ['GRAPH_MAX_ATTEMPTS', '-1', 'must be a whole number from 1 to 4'],
    ['GRAPH_MAX_ATTEMPTS', '2.5', 'must be a whole number from 1 to 4'],
  ] as const)('says of %s=%s by its name', (name, text, fault) => {
    const { values, faults } = read({ [name]: text });

    expect(faults).toEqual([{ setting: name, fault }]);
    expect(values[name]).toEqual(read({}).values[name]);
  });

  it('says all faults at once, in the order of the table', () => {
    const { faults } = read({ LOG_MAILBOX: 'x', CALLER_AUTH: 'x', REQUEST_TIMEOUT_MS: 'x', POLICY: 'x' });

    expect(faults.map(({ setting }) => setting)).toEqual([
      'CALLER_AUTH',
      'POLICY',
      'REQUEST_TIMEOUT_MS',
      'LOG_MAILBOX',
    ]);
  });

  it('never shows a value', () => {
    const marked = fc.string().map((text) => `${text}Zq7-marker`);
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), marked), (environment) => {
        expect(JSON.stringify(read(environment).faults)).not.toContain('Zq7-marker');
      }),
    );
  });
});

describe('SETTINGS', () => {
  it('marks as secret whatever holds a secret by its name', () => {
    const secretLike = names.filter((name) =>
      /SECRET|PASSWORD|CONNECTION_STRING|HEADERS|_KEY$|^AzureWebJobsStorage$/.test(name),
    );

    expect(secretLike).toContain('AZURE_CLIENT_SECRET');
    expect(names.filter((name) => 'secret' in SETTINGS[name])).toEqual(secretLike);
  });
});
