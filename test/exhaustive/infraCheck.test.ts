import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bicep, canFindBicep, findBicep } from '../../scripts/infra/findBicep.ts';

const ROOT = join(__dirname, '..', '..');

interface Fault {
  readonly fault: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** What a failing line of the check must say. */
  readonly expected: RegExp;
}

const EXTRA_ROLE = `resource queues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account
  name: guid(account.id, principalId, 'Storage Queue Data Contributor')
  properties: {
    principalId: principalId
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '974c5e8b-45b9-4653-ba55-5f855dd0fb88')
  }
}
`;

/** Each makes the check fail by itself. */
const FAULTS: readonly Fault[] = [
  {
    fault: 'a misspelt property',
    file: 'app/storage.bicep',
    from: 'allowCrossTenantReplication: false',
    to: 'allowCrossTenantReplicaton: false',
    expected: /Warning BCP089.*allowCrossTenantReplicaton/,
  },
  {
    fault: 'a missing setting',
    file: 'main.bicep',
    from: '  ME_MAILBOX: meMailbox\n',
    to: '',
    expected: /ME_MAILBOX is missing/,
  },
  {
    fault: 'shared key access',
    file: 'app/storage.bicep',
    from: 'allowSharedKeyAccess: false',
    to: 'allowSharedKeyAccess: true',
    expected: /properties\.allowSharedKeyAccess is true/,
  },
  {
    fault: 'an extra role',
    file: 'app/roles.bicep',
    from: '// Monitoring Metrics Publisher',
    to: `${EXTRA_ROLE}// Monitoring Metrics Publisher`,
    expected: /role 974c5e8b-45b9-4653-ba55-5f855dd0fb88 on Microsoft\.Storage\/storageAccounts is not expected/,
  },
  {
    fault: 'a parameter that azd cannot hand over',
    file: 'main.parameters.json',
    from: '"meMailbox"',
    to: '"myMailbox"',
    expected: /meMailbox is missing[\s\S]*myMailbox is not expected/,
  },
];

/** Put into one copy, so that the compiler runs once for all of them. */
const FURTHER_FAULTS: readonly Fault[] = [
  {
    fault: 'a key that is looked up',
    file: 'app/storage.bicep',
    from: 'output name string = account.name',
    to: 'output name string = account.name\n@secure()\noutput key string = account.listKeys().keys[0].value',
    expected: /listKeys\(\) is called/,
  },
  {
    fault: 'passwords for publishing',
    file: 'app/api.bicep',
    from: "name: 'scm'\n    properties: { allow: false }",
    to: "name: 'scm'\n    properties: { allow: true }",
    expected: /properties\.allow is true/,
  },
  {
    fault: 'another Node version',
    file: 'app/api.bicep',
    from: "version: '22'",
    to: "version: '20'",
    expected: /runtime\.version is "20"/,
  },
  {
    fault: 'a role on the whole resource group',
    file: 'app/roles.bicep',
    from: '  scope: account\n',
    to: '',
    expected: /Storage Blob Data Owner on more than one resource is not expected/,
  },
  {
    fault: 'a setting that the app does not know',
    file: 'main.bicep',
    from: '  ME_MAILBOX: meMailbox\n',
    to: '  ME_MAILBOX: meMailbox\n  MY_MAILBOX: meMailbox\n',
    expected: /MY_MAILBOX is not expected/,
  },
  {
    fault: 'a setting that Flex Consumption refuses',
    file: 'app/api.bicep',
    from: "  GRAPH_CREDENTIAL: 'managedIdentity'\n",
    to: "  GRAPH_CREDENTIAL: 'managedIdentity'\n  FUNCTIONS_WORKER_RUNTIME: 'node'\n",
    expected: /FUNCTIONS_WORKER_RUNTIME is not expected/,
  },
  {
    fault: 'a setting added past the two objects',
    file: 'app/api.bicep',
    from: 'union(operatorSettings, otherSettings)',
    to: "union(operatorSettings, otherSettings, { WEBSITE_RUN_FROM_PACKAGE: '1' })",
    expected: /appsettings are not/,
  },
  {
    fault: 'a secret as a plain parameter of a module',
    file: 'app/api.bicep',
    from: '@secure()\nparam applicationInsightsConnectionString',
    to: 'param applicationInsightsConnectionString',
    expected: /APPLICATIONINSIGHTS_CONNECTION_STRING is not a secure parameter of api/,
  },
  {
    fault: 'a secret as a plain parameter of the deployment',
    file: 'main.bicep',
    from: '@secure()\nparam otelExporterOtlpHeaders',
    to: 'param otelExporterOtlpHeaders',
    expected: /OTEL_EXPORTER_OTLP_HEADERS is not a secure parameter of main/,
  },
  {
    fault: 'records of uploads that stay for ever',
    file: 'app/storage.bicep',
    from: 'daysAfterModificationGreaterThan: 2',
    to: 'daysAfterModificationGreaterThan: 2000',
    expected: /the rule is .*2000/,
  },
  {
    fault: 'another container than the one that the app uses',
    file: 'app/storage.bicep',
    from: "name: 'upload-sessions'",
    to: "name: 'uploads'",
    expected: /there is no container upload-sessions/,
  },
  {
    fault: 'bodies without a bound',
    file: 'main.bicep',
    from: "'167772160'",
    to: "'10485760000'",
    expected: /FUNCTIONS_REQUEST_BODY_SIZE_LIMIT is .*10485760000/,
  },
  {
    fault: 'values that a setting does not take',
    file: 'main.bicep',
    from: "'hashed', 'plain'",
    to: "'hashed', 'clear'",
    expected: /logMailbox allows .*clear/,
  },
];

const canRun = canFindBicep(process.env);
const describeWhereItCanRun = canRun ? describe : describe.skip;

describeWhereItCanRun(canRun ? 'infraCheck' : 'infraCheck (skipped: neither bicep nor dotnet is on PATH)', () => {
  let bicep: Bicep | undefined;
  let folder: string;

  beforeAll(() => {
    bicep = findBicep(process.env);
  });

  afterAll(() => bicep?.remove());

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'infra-'));
    cpSync(join(ROOT, 'infra'), folder, { recursive: true });
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function spoil({ file, from, to }: Fault): void {
    const path = join(folder, file);
    const text = readFileSync(path, 'utf8');
    expect(text).toContain(from);
    writeFileSync(path, text.replace(from, to));
  }

  function check(): { status: number | null; output: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, ['scripts/infraCheck.ts', folder], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, BICEP: bicep?.path },
    });
    return { status, output: stdout + stderr };
  }

  test('passes the templates as they are', () => {
    const { status, output } = check();

    expect(output).not.toMatch(/FAIL/);
    expect(output).toMatch(/^ok {3}roles: exactly/m);
    expect(status).toBe(0);
  });

  test.each(FAULTS)('refuses $fault', (fault) => {
    spoil(fault);

    const { status, output } = check();

    expect(output).toMatch(fault.expected);
    expect(status).toBe(1);
  });

  test(`names each of: ${FURTHER_FAULTS.map(({ fault }) => fault).join(', ')}`, () => {
    FURTHER_FAULTS.forEach(spoil);

    const { status, output } = check();

    for (const { expected } of FURTHER_FAULTS) expect(output).toMatch(expected);
    expect(status).toBe(1);
  });

  test('says that it is skipped, without a fault, where there is no compiler', () => {
    const { status, stdout } = spawnSync(process.execPath, ['scripts/infraCheck.ts', folder], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { PATH: '' },
    });

    expect(stdout).toMatch(/^skipped: neither bicep nor dotnet/);
    expect(status).toBe(0);
  });
});
