import { JOB_POISON_QUEUE, JOB_QUEUE } from '../../shared/jobs/jobQueue.ts';
import { UPLOAD_CONTAINER } from '../../shared/storage/blobContainer.ts';
import { type ArmResource, type ArmTemplate, allResources, at } from './armTemplate.ts';
import { type Assertion, differences } from './assertion.ts';

interface PropertyRule {
  readonly says: string;
  readonly type: string;
  readonly expects: Readonly<Record<string, string | boolean>>;
}

const PROPERTY_RULES: readonly PropertyRule[] = [
  {
    says: 'storage: no key access, no public blobs, TLS 1.2, https only',
    type: 'Microsoft.Storage/storageAccounts',
    expects: {
      'properties.allowSharedKeyAccess': false,
      'properties.allowBlobPublicAccess': false,
      'properties.minimumTlsVersion': 'TLS1_2',
      'properties.supportsHttpsTrafficOnly': true,
    },
  },
  {
    says: 'storage: containers are private',
    type: 'Microsoft.Storage/storageAccounts/blobServices/containers',
    expects: { 'properties.publicAccess': 'None' },
  },
  {
    says: 'app: https only, TLS 1.2, no FTP',
    type: 'Microsoft.Web/sites',
    expects: {
      'properties.httpsOnly': true,
      'properties.siteConfig.minTlsVersion': '1.2',
      'properties.siteConfig.scmMinTlsVersion': '1.2',
      'properties.siteConfig.ftpsState': 'Disabled',
    },
  },
  {
    says: 'app: no passwords for publishing',
    type: 'Microsoft.Web/sites/basicPublishingCredentialsPolicies',
    expects: { 'properties.allow': false },
  },
  {
    says: 'app: Node 22',
    type: 'Microsoft.Web/sites',
    expects: {
      'properties.functionAppConfig.runtime.name': 'node',
      'properties.functionAppConfig.runtime.version': '22',
    },
  },
  {
    says: 'app: user-assigned identity, for the package as well',
    type: 'Microsoft.Web/sites',
    expects: {
      'identity.type': 'UserAssigned',
      'properties.functionAppConfig.deployment.storage.authentication.type': 'UserAssignedIdentity',
    },
  },
  {
    says: 'plan: Flex Consumption',
    type: 'Microsoft.Web/serverfarms',
    expects: { 'sku.name': 'FC1', 'sku.tier': 'FlexConsumption', 'properties.reserved': true },
  },
  {
    says: 'alert: on messages of jobs that were given up',
    type: 'Microsoft.Insights/scheduledQueryRules',
    expects: { 'properties.enabled': true },
  },
  {
    says: 'Application Insights: Entra authentication only',
    type: 'Microsoft.Insights/components',
    expects: { 'properties.DisableLocalAuth': true },
  },
];

/** The roles of whoever takes messages and sends some, on each of the queues of jobs. */
const QUEUE_ROLES = [
  { name: 'Storage Queue Data Reader', id: '19e7f393-937e-4f77-808e-94535e297925' },
  { name: 'Storage Queue Data Message Processor', id: '8a0f0c08-91a1-4084-bc3d-661d67233fed' },
  { name: 'Storage Queue Data Message Sender', id: 'c6a89b2d-59bc-44d0-9896-0f6e12d7b80a' },
] as const;

/** Every role that may be assigned, and the one resource that it is scoped to: its type, and the name where there are more. */
export const ROLES = [
  {
    name: 'Storage Blob Data Owner',
    id: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
    scope: 'Microsoft.Storage/storageAccounts',
  },
  {
    name: 'Monitoring Metrics Publisher',
    id: '3913510d-42f4-4e42-8a64-420c390055eb',
    scope: 'Microsoft.Insights/components',
  },
  ...[JOB_QUEUE, JOB_POISON_QUEUE].flatMap((queue) =>
    QUEUE_ROLES.map((role) => ({ ...role, scope: `Microsoft.Storage/storageAccounts/queueServices/queues ${queue}` })),
  ),
];

/** What must hold for the resources of the compiled template. */
export function checkResources(template: ArmTemplate): readonly Assertion[] {
  const resources = allResources(template);
  return [
    ...PROPERTY_RULES.map((rule) => checkProperties(rule, resources)),
    checkPublishing(resources),
    checkUploads(resources),
    checkQueues(resources),
    checkRoles(resources),
  ];
}

function checkProperties({ says, type, expects }: PropertyRule, resources: readonly ArmResource[]): Assertion {
  const ofType = resources.filter((resource) => resource.type === type);
  const faults = ofType.flatMap(({ name, body }) =>
    Object.entries(expects)
      .filter(([path, expected]) => at(body, path) !== expected)
      .map(([path, expected]) => `${name}: ${path} is ${JSON.stringify(at(body, path))}, not ${expected}`),
  );
  return { says, faults: ofType.length === 0 ? [`there is no ${type}`] : faults };
}

function checkPublishing(resources: readonly ArmResource[]): Assertion {
  const covered = resources
    .filter(({ type }) => type === 'Microsoft.Web/sites/basicPublishingCredentialsPolicies')
    .map(({ name }) => /'(ftp|scm)'\)\]$/.exec(name)?.[1] ?? name);
  return { says: 'app: that holds for both FTP and SCM', faults: differences(covered, ['ftp', 'scm']) };
}

/** Old records go by a rule of the account: the app has no sweeper. */
function checkUploads(resources: readonly ArmResource[]): Assertion {
  const containers = resources
    .filter(({ type }) => type === 'Microsoft.Storage/storageAccounts/blobServices/containers')
    .map(({ name }) => /'([\w-]+)'\)\]$/.exec(name)?.[1]);
  const rules = resources
    .filter(({ type }) => type === 'Microsoft.Storage/storageAccounts/managementPolicies')
    .flatMap(({ body }) => at(body, 'properties.policy.rules'));
  const [rule] = rules;
  const shown = JSON.stringify([
    at(rule, 'enabled'),
    at(rule, 'definition.filters'),
    at(rule, 'definition.actions.baseBlob.delete'),
  ]);
  const wanted = JSON.stringify([
    true,
    { blobTypes: ['blockBlob'], prefixMatch: [`${UPLOAD_CONTAINER}/`] },
    { daysAfterModificationGreaterThan: 2 },
  ]);
  return {
    says: 'storage: the container of upload records, and one rule that deletes what is older than two days',
    faults: [
      ...(containers.includes(UPLOAD_CONTAINER) ? [] : [`there is no container ${UPLOAD_CONTAINER}`]),
      ...(rules.length === 1 ? [] : [`there are ${rules.length} rules`]),
      ...(shown === wanted ? [] : [`the rule is ${shown}`]),
    ],
  };
}

/** The app and the host may not make them. */
function checkQueues(resources: readonly ArmResource[]): Assertion {
  const queues = resources
    .filter(({ type }) => type === 'Microsoft.Storage/storageAccounts/queueServices/queues')
    .map(({ name }) => /'([\w-]+)'\)\]$/.exec(name)?.[1] ?? name);
  return { says: 'storage: the queues of jobs', faults: differences(queues, [JOB_QUEUE, JOB_POISON_QUEUE]) };
}

/** What must hold for the text of the compiled template: a key that it looks up ends in a setting or in the deployment's history. */
export function checkKeyLookups(compiled: string): Assertion {
  const lookups = compiled.match(/\blist(?!OutputsWithSecureValues)\w*(?=\()/g) ?? [];
  return { says: 'no key or connection secret is looked up', faults: lookups.map((lookup) => `${lookup}() is called`) };
}

function checkRoles(resources: readonly ArmResource[]): Assertion {
  const assigned = resources
    .filter(({ type }) => type === 'Microsoft.Authorization/roleAssignments')
    .map(({ body }) => {
      const id = /'([0-9a-f-]{36})'\)\]$/.exec(String(at(body, 'properties.roleDefinitionId')))?.[1];
      const [, type, queue] =
        /^\[resourceId\('([\w./]+)', parameters\('\w+'\)(?:, 'default', '([\w-]+)')?\)\]$/.exec(
          String(body['scope']),
        ) ?? [];
      const scope = [type, queue].filter((part) => part !== undefined).join(' ');
      return `${ROLES.find((role) => role.id === id)?.name ?? `role ${id}`} on ${scope || 'more than one resource'}`;
    });
  const expected = ROLES.map(({ name, scope }) => `${name} on ${scope}`);
  return { says: `roles: exactly ${expected.join(', ')}`, faults: differences(assigned, expected) };
}
