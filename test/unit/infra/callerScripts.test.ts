import { join } from 'node:path';
import { type AzCall, runWithAz } from '../../support/recordedAz.ts';

const INFRA = join(__dirname, '..', '..', '..', 'infra');
const register = (args: readonly string[], calls: readonly AzCall[]) =>
  runWithAz(join(INFRA, 'register-api.sh'), args, calls);
const grant = (args: readonly string[], calls: readonly AzCall[]) =>
  runWithAz(join(INFRA, 'grant-caller-role.sh'), args, calls);

const APP = '11111111-1111-1111-1111-111111111111';
const API_SP = '22222222-2222-2222-2222-222222222222';
const CALLER = '33333333-3333-3333-3333-333333333333';
const CALLER_SP = '44444444-4444-4444-4444-444444444444';
const ROLE = '6f0b1e7a-52d4-4f3e-9a3c-6b1d2c5e8f01';
const GRAPH = 'https://graph.microsoft.com/v1.0';
const APPLICATION = `${GRAPH}/applications(appId='${APP}')`;
const ASSIGNMENTS = `${GRAPH}/servicePrincipals/${CALLER_SP}/appRoleAssignments`;
const JSON_HEADER = ['--headers', 'Content-Type=application/json'];

const DENIED = {
  status: 1,
  stderr: 'ERROR: Forbidden({"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges"}})\n',
};

const cloud: AzCall = {
  args: ['cloud', 'show', '--query', 'endpoints.microsoftGraphResourceId', '--output', 'tsv'],
  stdout: 'https://graph.microsoft.com/\n',
};

const findApp = (stdout: string, name = 'Graph Upload Session Proxy'): AzCall => ({
  args: ['ad', 'app', 'list', '--filter', `displayName eq '${name}'`, '--query', '[].appId', '--output', 'tsv'],
  stdout,
});

const createApp: AzCall = {
  args: [
    ...['ad', 'app', 'create', '--display-name', 'Graph Upload Session Proxy', '--sign-in-audience', 'AzureADMyOrg'],
    ...['--query', 'appId', '--output', 'tsv'],
  ],
  stdout: `${APP}\n`,
};

const readApp = (query: string, output: string, stdout: string): AzCall => ({
  args: ['rest', '--method', 'get', '--url', APPLICATION, '--query', query, '--output', output],
  stdout,
});

const countParts = (stdout: string) =>
  readApp(
    "[length(identifierUris), length(appRoles[?value=='UploadSession.Create']), length(api.oauth2PermissionScopes[?value=='UploadSession.Create']), length(optionalClaims.accessToken[?name=='xms_cc'] || `[]`)]",
    'tsv',
    stdout,
  );

const patch = (url: string, body: unknown): AzCall => ({
  args: [
    ...['rest', '--method', 'patch', '--url', url, ...JSON_HEADER, '--body', JSON.stringify(body)],
    ...['--output', 'none'],
  ],
});

const findPrincipal = (stdout: string): AzCall => ({
  args: ['ad', 'sp', 'list', '--filter', `appId eq '${APP}'`, '--query', '[].id', '--output', 'tsv'],
  stdout,
});

const isAssignmentRequired = (stdout: string): AzCall => ({
  args: [
    ...['rest', '--method', 'get', '--url', `${GRAPH}/servicePrincipals/${API_SP}`],
    ...['--query', 'appRoleAssignmentRequired', '--output', 'tsv'],
  ],
  stdout,
});

const tenant: AzCall = {
  args: ['account', 'show', '--query', 'tenantId', '--output', 'tsv'],
  stdout: 'the-tenant\n',
};

const appRole = {
  id: ROLE,
  value: 'UploadSession.Create',
  allowedMemberTypes: ['Application'],
  displayName: 'Attach files',
  description: 'Lets the application attach files to the mailboxes and groups that the policy allows.',
  isEnabled: true,
};

const scope = {
  id: '6f0b1e7a-52d4-4f3e-9a3c-6b1d2c5e8f02',
  value: 'UploadSession.Create',
  type: 'User',
  isEnabled: true,
  adminConsentDisplayName: 'Attach files for the user',
  adminConsentDescription: 'Lets the application attach files to items that the signed-in user may change.',
  userConsentDisplayName: 'Attach files for you',
  userConsentDescription: 'Lets the application attach files to items that you may change.',
};

const waitFor = (url: string): AzCall => ({ args: ['rest', '--method', 'get', '--url', url, '--output', 'none'] });

const setUri: AzCall = { args: ['ad', 'app', 'update', '--id', APP, '--identifier-uris', `api://${APP}`] };

describe('register-api.sh', () => {
  test('creates everything in the first run', () => {
    const { status, stdout } = register(
      [],
      [
        cloud,
        findApp(''),
        createApp,
        waitFor(APPLICATION),
        countParts('0\n0\n0\n0\n'),
        setUri,
        readApp('appRoles', 'json', '[]\n'),
        patch(APPLICATION, { appRoles: [appRole] }),
        readApp('api.oauth2PermissionScopes', 'json', '[]\n'),
        patch(APPLICATION, { api: { requestedAccessTokenVersion: 2, oauth2PermissionScopes: [scope] } }),
        readApp('optionalClaims.accessToken || `[]`', 'json', '[]\n'),
        patch(APPLICATION, { optionalClaims: { accessToken: [{ name: 'xms_cc' }] } }),
        findPrincipal(''),
        { args: ['ad', 'sp', 'create', '--id', APP, '--query', 'id', '--output', 'tsv'], stdout: `${API_SP}\n` },
        waitFor(`${GRAPH}/servicePrincipals/${API_SP}`),
        isAssignmentRequired('False\n'),
        patch(`${GRAPH}/servicePrincipals/${API_SP}`, { appRoleAssignmentRequired: true }),
        tenant,
      ],
    );

    expect(status).toBe(0);
    expect(stdout).toContain(`\nCALLER_AUTH=entra\nENTRA_TENANT_ID=the-tenant\nAPI_AUDIENCE=${APP},api://${APP}\n`);
  });

  test('changes nothing in the second run', () => {
    const { status, stdout } = register(
      [],
      [
        cloud,
        findApp(`${APP}\n`),
        countParts('1\n1\n1\n1\n'),
        findPrincipal(`${API_SP}\n`),
        isAssignmentRequired('true\n'),
        tenant,
      ],
    );

    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^use the registration ${APP}\n\nCALLER_AUTH=entra\n`));
  });

  test('keeps the roles that the registration has', () => {
    const other = { id: CALLER, value: 'Other' };
    const { status } = register(
      ['--app-id', APP],
      [
        cloud,
        countParts('1\n0\n1\n1\n'),
        readApp('appRoles', 'json', `${JSON.stringify([other])}\n`),
        patch(APPLICATION, { appRoles: [other, appRole] }),
        findPrincipal(`${API_SP}\n`),
        isAssignmentRequired('true\n'),
        tenant,
      ],
    );

    expect(status).toBe(0);
  });

  test('makes only calls that read with --what-if', () => {
    const { status, stdout } = register(
      ['--what-if'],
      [
        cloud,
        findApp(`${APP}\n`),
        countParts('0\n0\n1\n1\n'),
        readApp('appRoles', 'json', '[]\n'),
        findPrincipal(`${API_SP}\n`),
        isAssignmentRequired('False\n'),
        tenant,
      ],
    );

    expect(status).toBe(0);
    expect(stdout.match(/^would: .*$/gm)).toEqual([
      `would: set the application ID URI api://${APP}`,
      'would: add the app role UploadSession.Create',
      'would: require an assignment',
    ]);
  });

  test('says with --what-if that it would create the registration', () => {
    const { status, stdout } = register(
      ['--what-if', '--name', "Contoso's API"],
      [cloud, findApp('', "Contoso''s API")],
    );

    expect(status).toBe(0);
    expect(stdout).toMatch(/^would: create the registration 'Contoso's API'/);
  });

  test('names the Entra role if rights are missing', () => {
    const { status, stdout, stderr } = register([], [cloud, findApp(''), { ...createApp, stdout: '', ...DENIED }]);

    expect(status).toBe(1);
    expect(stderr).toBe('You are not allowed to do this. You need the role Application Developer: az ad app create\n');
    expect(stdout).not.toContain('CALLER_AUTH');
  });

  test('stops at the first change that is refused', () => {
    const { status, stdout, stderr } = register(
      ['--app-id', APP],
      [cloud, countParts('0\n0\n0\n0\n'), { ...setUri, ...DENIED }],
    );

    expect(status).toBe(1);
    expect(stderr).toMatch(/You need the role Application Developer: az ad app update\n$/);
    expect(stdout).not.toContain('app role');
  });

  test('asks for --app-id if several registrations have the name', () => {
    const { status, stderr } = register([], [cloud, findApp(`${APP}\n${CALLER}\n`)]);

    expect(status).toBe(1);
    expect(stderr).toBe(
      `Several registrations are named 'Graph Upload Session Proxy'. Choose one with --app-id: ${APP} ${CALLER}\n`,
    );
  });

  test('says how to sign in', () => {
    const stderr = "ERROR: Please run 'az login' to setup account.\n";
    const result = register([], [{ ...cloud, stdout: '', stderr, status: 1 }]);

    expect(result).toEqual({ status: 1, stdout: '', stderr: 'You are not signed in. Run: az login\n' });
  });

  test.each([[['--nmae', 'x']], [['--name']]])('refuses %j with exit code 2', (args) => {
    expect(register(args, []).status).toBe(2);
  });
});

describe('grant-caller-role.sh', () => {
  const show = (id: string, query: string, stdout: string): AzCall => ({
    args: ['ad', 'sp', 'show', '--id', id, '--query', query, '--output', 'tsv'],
    stdout,
  });
  const findRole = (stdout: string): AzCall => ({
    args: [
      ...['ad', 'sp', 'show', '--id', API_SP, '--output', 'tsv', '--query'],
      "appRoles[?value=='UploadSession.Create' && contains(allowedMemberTypes, 'Application')].id | [0]",
    ],
    stdout,
  });
  const findApi = show(APP, 'id', `${API_SP}\n`);
  const findCaller = show(CALLER, '[id, appId]', `${CALLER_SP}\n${CALLER}\n`);
  const findAssignment = (stdout: string): AzCall => ({
    args: [
      ...['rest', '--method', 'get', '--url', ASSIGNMENTS, '--output', 'tsv', '--query'],
      `value[?resourceId=='${API_SP}' && appRoleId=='${ROLE}'].id | [0]`,
    ],
    stdout,
  });
  const post: AzCall = {
    args: [
      ...['rest', '--method', 'post', '--url', ASSIGNMENTS, '--output', 'none', ...JSON_HEADER, '--body'],
      JSON.stringify({ principalId: CALLER_SP, resourceId: API_SP, appRoleId: ROLE }),
    ],
  };
  const args = ['--api', APP, CALLER];
  const found = [cloud, findApi, findRole(`${ROLE}\n`), findCaller];

  test('assigns the role in the first run', () => {
    const { status, stdout } = grant(args, [...found, findAssignment(''), post]);

    expect(status).toBe(0);
    expect(stdout).toBe(`grant UploadSession.Create to ${CALLER}\nappId for the policy: ${CALLER}\n`);
  });

  test('changes nothing in the second run', () => {
    const { status, stdout } = grant(args, [...found, findAssignment('assignment-1\n')]);

    expect(status).toBe(0);
    expect(stdout).toMatch(/^UploadSession.Create: granted to .* already\n/);
  });

  test('makes only calls that read with --what-if', () => {
    const { status, stdout } = grant(['--what-if', ...args], [...found, findAssignment('')]);

    expect(status).toBe(0);
    expect(stdout).toMatch(/^would: grant UploadSession.Create to /);
  });

  test('finds the managed identity of a workflow by its resource id', () => {
    const workflow = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Logic/workflows/w';
    const { status, stdout } = grant(
      ['--api', APP, workflow],
      [
        cloud,
        findApi,
        findRole(`${ROLE}\n`),
        {
          args: ['resource', 'show', '--ids', workflow, '--query', 'identity.principalId', '--output', 'tsv'],
          stdout: `${CALLER_SP}\n`,
        },
        show(CALLER_SP, '[id, appId]', `${CALLER_SP}\n${CALLER}\n`),
        findAssignment(''),
        post,
      ],
    );

    expect(status).toBe(0);
    expect(stdout).toContain(`appId for the policy: ${CALLER}\n`);
  });

  test('takes the role back with --undo', () => {
    const remove: AzCall = {
      args: ['rest', '--method', 'delete', '--url', `${ASSIGNMENTS}/assignment-1`, '--output', 'none'],
    };
    const { status } = grant(['--undo', ...args], [...found, findAssignment('assignment-1\n'), remove]);

    expect(status).toBe(0);
  });

  test('names the Entra role if rights are missing', () => {
    const { status, stderr } = grant(args, [...found, findAssignment(''), { ...post, ...DENIED }]);

    expect(status).toBe(1);
    expect(stderr).toBe(
      'You are not allowed to do this. You need the role Cloud Application Administrator: az rest --method post\n',
    );
  });

  test.each([
    ['API', [cloud, { ...findApi, stdout: '', status: 3 }], /^The API .* has no service principal .*register-api.sh/],
    ['app role', [cloud, findApi, findRole('')], /^The API has no app role UploadSession.Create .*register-api.sh/],
    [
      'caller',
      [cloud, findApi, findRole(`${ROLE}\n`), { ...findCaller, stdout: '', status: 3 }],
      /^There is no application or managed identity/,
    ],
  ])('says in one line that the %s is missing', (_, calls: readonly AzCall[], message) => {
    const { status, stdout, stderr } = grant(args, calls);

    expect(status).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr.trim()).not.toContain('\n');
    expect(stdout).toBe('');
  });

  test.each([[[]], [[CALLER]], [['--api', APP]]])('refuses %j with exit code 2', (wrong: string[]) => {
    expect(grant(wrong, []).status).toBe(2);
  });
});
