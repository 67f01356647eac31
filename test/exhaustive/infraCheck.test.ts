import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findBicep } from '../../scripts/infraCheck.ts';

const ROOT = join(__dirname, '..', '..');

interface Fault {
  readonly fault: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** What the output must have: lines with `+` are the template's, with `-` the expected ones. */
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
    to: '  MY_MAILBOX: meMailbox\n',
    expected: /^- +ME_MAILBOX/m,
  },
  {
    fault: 'shared key access',
    file: 'app/storage.bicep',
    from: 'allowSharedKeyAccess: false',
    to: 'allowSharedKeyAccess: true',
    expected: /^\+ .*allowSharedKeyAccess': true/m,
  },
  {
    fault: 'an extra role',
    file: 'app/roles.bicep',
    from: '// Monitoring Metrics Publisher',
    to: `${EXTRA_ROLE}// Monitoring Metrics Publisher`,
    expected: /^\+ .*storageName 974c5e8b/m,
  },
  {
    fault: 'a parameter that azd cannot hand over',
    file: 'main.parameters.json',
    from: '"meMailbox"',
    to: '"myMailbox"',
    expected: /^\+ +'myMailbox',\n- +'meMailbox'/m,
  },
];

/** Put into one copy, so that the compiler runs once for all of them. */
const FURTHER_FAULTS: readonly Fault[] = [
  {
    fault: 'a key that is looked up',
    file: 'app/storage.bicep',
    from: 'output name string = account.name',
    to: 'output name string = account.name\n@secure()\noutput key string = account.listKeys().keys[0].value',
    expected: /^\+ +'listKeys\('/m,
  },
  {
    fault: 'passwords for publishing',
    file: 'app/api.bicep',
    from: "name: 'scm'\n    properties: { allow: false }",
    to: "name: 'scm'\n    properties: { allow: true }",
    expected: /^\+ .*allow': true/m,
  },
  {
    fault: 'another Node version',
    file: 'app/api.bicep',
    from: "version: '22'",
    to: "version: '20'",
    expected: /^\+ +version: '20'/m,
  },
  {
    fault: 'a role on the whole resource group',
    file: 'app/roles.bicep',
    from: '  scope: account\n',
    to: '',
    expected: /^\+ .*undefined b7e6dc6d/m,
  },
  {
    fault: 'a setting that the app does not know',
    file: 'main.bicep',
    from: '  ME_MAILBOX: meMailbox\n',
    to: '  ME_MAILBOX: meMailbox\n  MY_MAILBOX: meMailbox\n',
    expected: /^\+ +MY_MAILBOX/m,
  },
  {
    fault: 'a setting that Flex Consumption refuses',
    file: 'app/api.bicep',
    from: "  GRAPH_CREDENTIAL: 'managedIdentity'\n",
    to: "  GRAPH_CREDENTIAL: 'managedIdentity'\n  FUNCTIONS_WORKER_RUNTIME: 'node'\n",
    expected: /^\+ +FUNCTIONS_WORKER_RUNTIME/m,
  },
  {
    fault: 'a setting added past the two objects',
    file: 'app/api.bicep',
    from: 'union(operatorSettings, otherSettings)',
    to: "union(operatorSettings, otherSettings, { WEBSITE_RUN_FROM_PACKAGE: '1' })",
    expected: /^\+ .*WEBSITE_RUN_FROM_PACKAGE/m,
  },
  {
    fault: 'a secret as a plain parameter of a module',
    file: 'app/api.bicep',
    from: '@secure()\nparam applicationInsightsConnectionString',
    to: 'param applicationInsightsConnectionString',
    expected: /^\+ +APPLICATIONINSIGHTS_CONNECTION_STRING: undefined/m,
  },
  {
    fault: 'a secret as a plain parameter of the deployment',
    file: 'main.bicep',
    from: "@secure()\n@description('Headers of the exporter, such as an access key: name=value,name=value.')\nparam otelExporterOtlpHeaders",
    to: "@description('Headers of the exporter, such as an access key: name=value,name=value.')\nparam otelExporterOtlpHeaders",
    expected: /^\+ +OTEL_EXPORTER_OTLP_HEADERS: undefined/m,
  },
  {
    fault: 'records of uploads that stay for ever',
    file: 'app/storage.bicep',
    from: 'daysAfterModificationGreaterThan: 2',
    to: 'daysAfterModificationGreaterThan: 2000',
    expected: /^\+ +daysAfterModificationGreaterThan: 2000/m,
  },
  {
    fault: 'another container than the one that the app uses',
    file: 'app/storage.bicep',
    from: "name: 'upload-sessions'",
    to: "name: 'uploads'",
    expected: /^\+ .*containers uploads'/m,
  },
  {
    fault: 'bodies without a bound',
    file: 'main.bicep',
    from: "'167772160'",
    to: "'10485760000'",
    expected: /^\+ .*'10485760000'/m,
  },
  {
    fault: 'values that a setting does not take',
    file: 'main.bicep',
    from: "'hashed', 'plain'",
    to: "'hashed', 'clear'",
    expected: /^\+ +'clear'/m,
  },
];

const tools = mkdtempSync(join(tmpdir(), 'bicep-'));
const bicep = findBicep(tools);

afterAll(() => rmSync(tools, { recursive: true }));

(bicep === undefined ? describe.skip : describe)('infraCheck (skipped without bicep and dotnet)', () => {
  let folder: string;

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
      env: { ...process.env, BICEP: bicep },
    });
    return { status, output: stdout + stderr };
  }

  test('passes the templates as they are', () => {
    const { status, output } = check();

    expect(output).toMatch(/^ok: /);
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
