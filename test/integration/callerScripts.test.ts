import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SETTINGS } from '../../shared/config/settings.ts';
import type { Tenant } from '../support/az/az.ts';

const ROOT = join(__dirname, '..', '..');
const API = 'a0000000-0000-0000-0000-000000000000';
const API_PRINCIPAL = 'b0000000-0000-0000-0000-000000000004';
const WORKFLOW = { appId: 'd0000000-0000-0000-0000-000000000001', id: 'e0000000-0000-0000-0000-000000000001' };

const EMPTY: Tenant = {
  applications: [],
  servicePrincipals: [{ ...WORKFLOW, appRoles: [] }],
  assignments: [],
  changes: [],
  isReadOnly: false,
};

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'az-'));
  const az = join(folder, 'az');
  writeFileSync(az, `#!/bin/sh\nexec '${process.execPath}' '${join(ROOT, 'test/support/az/az.ts')}' "$@"\n`);
  chmodSync(az, 0o700);
  write(EMPTY);
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(tenant: Tenant): void {
  writeFileSync(join(folder, 'tenant.json'), JSON.stringify(tenant));
}

function tenant(): Tenant {
  return JSON.parse(readFileSync(join(folder, 'tenant.json'), 'utf8'));
}

function run(script: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync('bash', [join(ROOT, 'infra', script), ...args], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${folder}:${process.env['PATH']}`, AZ_STATE: join(folder, 'tenant.json') },
  });
  return { status, stdout, stderr };
}

const REGISTERED = ['ad app create', 'ad app update', 'patch appRoles', 'patch api', 'ad sp create'];
const ALL = [...REGISTERED, 'patch appRoleAssignmentRequired'];

describe('infra/register-api.sh', () => {
  it('registers the API with application ID URI, app role, scope and assignment required, once', () => {
    const first = run('register-api.sh');
    const { changes, applications, servicePrincipals } = tenant();
    const second = run('register-api.sh');

    expect(first).toMatchObject({ status: 0, stdout: expect.stringContaining(`API_AUDIENCE=${API},api://${API}`) });
    expect(changes).toEqual(ALL);
    const value = SETTINGS.API_ROLE.default;
    expect(applications).toMatchObject([
      {
        appId: API,
        identifierUris: [`api://${API}`],
        appRoles: [{ value, allowedMemberTypes: ['Application'], isEnabled: true }],
        api: { oauth2PermissionScopes: [{ value, type: 'User', isEnabled: true }] },
      },
    ]);
    expect(servicePrincipals.at(-1)).toMatchObject({ appId: API, appRoleAssignmentRequired: true });
    expect(second).toEqual({ status: 0, stdout: first.stdout, stderr: '' });
    expect(tenant().changes).toEqual(ALL);
  });

  it('keeps the roles and scopes of a registration that it completes', () => {
    const appRoles = [{ id: 'r', value: 'Other', allowedMemberTypes: ['Application'] }];
    const api = { oauth2PermissionScopes: [{ id: 's', value: 'Other' }] };
    const name = 'Uploads';
    write({ ...EMPTY, applications: [{ appId: API, displayName: name, identifierUris: [], appRoles, api }] });

    const { status } = run('register-api.sh', '--name', name);

    expect(status).toBe(0);
    const [application] = tenant().applications;
    expect(application).toMatchObject({
      appRoles: [...appRoles, { value: SETTINGS.API_ROLE.default }],
      api: { oauth2PermissionScopes: [...api.oauth2PermissionScopes, { value: SETTINGS.API_ROLE.default }] },
    });
  });

  it('changes nothing with --what-if', () => {
    const before = run('register-api.sh', '--what-if');
    const application = { appId: API, displayName: 'Graph Upload Session Proxy', identifierUris: [], appRoles: [] };
    write({ ...EMPTY, applications: [{ ...application, api: { oauth2PermissionScopes: [] } }] });
    const half = run('register-api.sh', '--what-if');

    expect(before).toMatchObject({ status: 0, stderr: 'app registration Graph Upload Session Proxy: would change\n' });
    expect(half.status).toBe(0);
    expect(half.stderr.match(/.+: would change/g)).toEqual([
      `application ID URI api://${API}: would change`,
      'app role UploadSession.Create: would change',
      'scope UploadSession.Create: would change',
      'service principal: would change',
    ]);
    expect(tenant().changes).toEqual([]);
  });

  it('names the Entra role if rights are missing', () => {
    write({ ...EMPTY, isReadOnly: true });

    const { status, stderr } = run('register-api.sh');

    expect(status).toBe(1);
    expect(stderr).toContain('Insufficient privileges');
    expect(stderr).toContain('Entra role Application Administrator');
  });

  it('stops if several registrations have the name', () => {
    const displayName = 'Graph Upload Session Proxy';
    write({
      ...EMPTY,
      applications: [
        { appId: '1', displayName },
        { appId: '2', displayName },
      ],
    });

    const { status, stderr } = run('register-api.sh');

    expect(status).toBe(1);
    expect(stderr).toContain('--name');
  });

  it.each([['--nmae', 'x'], ['--name'], ['--name', "it's"]])('prints its usage for %s %s', (...args) => {
    expect(run('register-api.sh', ...args)).toMatchObject({ status: 2, stderr: expect.stringMatching(/^Usage:/) });
  });
});

describe('infra/grant-caller-role.sh', () => {
  it.each(['appId', 'id'] as const)('assigns the role to a managed identity by its %s, once', (by) => {
    write(withApi());

    const first = run('grant-caller-role.sh', API, WORKFLOW[by]);
    const second = run('grant-caller-role.sh', API, WORKFLOW[by]);

    expect(first).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringContaining(`"appId": "${WORKFLOW.appId}"`),
    });
    expect(second).toMatchObject({ status: 0, stdout: expect.stringContaining('already') });
    expect(tenant().changes).toEqual(['post appRoleAssignments']);
    expect(tenant().assignments).toMatchObject([
      { principalId: WORKFLOW.id, resourceId: API_PRINCIPAL, appRoleId: 'role' },
    ]);
  });

  it('takes the role back, once', () => {
    write({ ...withApi(), assignments: [assignment()] });

    const first = run('grant-caller-role.sh', '--undo', API, WORKFLOW.id);
    const second = run('grant-caller-role.sh', '--undo', API, WORKFLOW.id);

    expect(first).toMatchObject({ status: 0, stderr: '' });
    expect(second).toMatchObject({ status: 0, stdout: expect.stringContaining('nothing to take back') });
    expect(tenant()).toMatchObject({ changes: ['delete appRoleAssignments'], assignments: [] });
  });

  it('changes nothing with --what-if', () => {
    write(withApi());
    const assigned = run('grant-caller-role.sh', '--what-if', API, WORKFLOW.id);
    write({ ...withApi(), assignments: [assignment()] });
    const removed = run('grant-caller-role.sh', '--what-if', '--undo', API, WORKFLOW.id);

    expect(assigned).toMatchObject({ status: 0, stdout: expect.stringContaining('would assign') });
    expect(removed).toMatchObject({ status: 0, stdout: expect.stringContaining('would take back') });
    expect(tenant().changes).toEqual([]);
  });

  it('names the Entra role if rights are missing', () => {
    write({ ...withApi(), isReadOnly: true });

    const { status, stderr } = run('grant-caller-role.sh', API, WORKFLOW.id);

    expect(status).toBe(1);
    expect(stderr).toContain('Entra role Application Administrator');
  });

  it.each([
    ['an API that is not registered', EMPTY, [API, WORKFLOW.id], 'Run infra/register-api.sh first'],
    ['an unknown role', withApi(), [API, WORKFLOW.id, 'Other'], 'no app role Other'],
    ['an unknown caller', withApi(), [API, API.replaceAll('0', '9')], 'az ad sp create'],
  ])('says what to do about %s', (_what, state, args, expected) => {
    write(state);

    const { status, stderr } = run('grant-caller-role.sh', ...args);

    expect(status).toBe(1);
    expect(stderr).toContain(expected);
  });

  it.each([[[]], [[API]], [[API, 'my-app']], [['--undu', API, API]]])('prints its usage for %j', (args) => {
    expect(run('grant-caller-role.sh', ...args)).toMatchObject({ status: 2, stderr: expect.stringMatching(/^Usage:/) });
  });
});

function withApi(): Tenant {
  const appRoles = [{ id: 'role', value: SETTINGS.API_ROLE.default, allowedMemberTypes: ['Application'] }];
  const api = { id: API_PRINCIPAL, appId: API, appRoles, appRoleAssignmentRequired: true };
  return { ...EMPTY, servicePrincipals: [...EMPTY.servicePrincipals, api] };
}

function assignment(): Record<string, unknown> {
  return { id: 'assignment-1', principalId: WORKFLOW.id, resourceId: API_PRINCIPAL, appRoleId: 'role' };
}
