import { readFileSync, writeFileSync } from 'node:fs';
import { search } from 'jmespath';
import { isObject } from '../../../shared/common/isObject.ts';

// The Azure CLI of the tests of infra/*.sh: knows the commands that these scripts use, with the options that the CLI's reference
// gives them, and keeps the tenant in the file that AZ_STATE names. Anything else ends with 2, as in the CLI.

export interface Tenant {
  readonly applications: Directory[];
  readonly servicePrincipals: Directory[];
  readonly assignments: Directory[];
  /** Each change, in order. */
  readonly changes: string[];
  /** Changes are refused, as for a user without the Entra role. */
  readonly isReadOnly: boolean;
}

type Directory = Record<string, unknown>;

/** learn.microsoft.com/cli/azure: the options of each command. `--query` and `--output` go with all. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  'cloud show': [],
  'account show': [],
  'ad app list': ['filter'],
  'ad app create': ['display-name', 'sign-in-audience'],
  'ad app update': ['id', 'identifier-uris'],
  'ad sp list': ['filter'],
  'ad sp create': ['id'],
  rest: ['method', 'url', 'headers', 'body'],
};

const TENANT_ID = '10000000-0000-0000-0000-000000000001';
const GRAPH = 'https://graph.microsoft.com/v1.0';

class Refused extends Error {}

function main(args: readonly string[], path: string): void {
  const tenant: Tenant = JSON.parse(readFileSync(path, 'utf8'));
  const end = args.findIndex((argument) => argument.startsWith('--'));
  const command = args.slice(0, end < 0 ? args.length : end).join(' ');
  const options = readOptions(command, args.slice(command.split(' ').length));
  const result = run(tenant, command, options);
  writeFileSync(path, JSON.stringify(tenant));
  const queried = options['query'] === undefined ? result : search(result, options['query']);
  if (options['output'] === 'none' || queried === undefined) return;
  console.log(options['output'] === 'tsv' ? toTsv(queried) : JSON.stringify(queried, null, 2));
}

function readOptions(command: string, args: readonly string[]): Readonly<Record<string, string>> {
  const known = OPTIONS[command];
  if (known === undefined) throw new Error(`'${command}' is not a command that the tests know.`);
  const options: Record<string, string> = {};
  for (let index = 0; index < args.length; index += 2) {
    const [option = '', value] = args.slice(index, index + 2);
    const name = option.replace(/^--/, '');
    if (value === undefined || ![...known, 'query', 'output'].includes(name)) {
      throw new Error(`unrecognized arguments: ${option}`);
    }
    options[name] = value;
  }
  return options;
}

function run(tenant: Tenant, command: string, options: Readonly<Record<string, string>>): unknown {
  switch (command) {
    case 'cloud show':
      return { endpoints: { microsoftGraphResourceId: 'https://graph.microsoft.com/' } };
    case 'account show':
      return { tenantId: TENANT_ID };
    case 'ad app list':
      return filtered(tenant.applications, options['filter']);
    case 'ad sp list':
      return filtered(tenant.servicePrincipals, options['filter']);
    case 'ad app create': {
      const application = {
        appId: id(tenant, 'a'),
        displayName: options['display-name'],
        identifierUris: [],
        appRoles: [],
        api: { oauth2PermissionScopes: [] },
      };
      return change(tenant, command, () => tenant.applications.push(application) && application);
    }
    case 'ad app update': {
      const application = found(tenant.applications, 'appId', options['id']);
      return change(tenant, command, () =>
        Object.assign(application, { identifierUris: [options['identifier-uris']] }),
      );
    }
    case 'ad sp create': {
      const application = found(tenant.applications, 'appId', options['id']);
      const principal = {
        id: id(tenant, 'b'),
        appId: application['appId'],
        appRoles: application['appRoles'],
        appRoleAssignmentRequired: false,
      };
      return change(tenant, command, () => tenant.servicePrincipals.push(principal) && principal);
    }
    default:
      return rest(tenant, options);
  }
}

function rest(tenant: Tenant, { method, url = '', headers, body }: Readonly<Record<string, string>>): unknown {
  const path = url.startsWith(`${GRAPH}/`) ? url.slice(GRAPH.length) : '';
  const [, appId] = /^\/applications\(appId='([^']+)'\)$/.exec(path) ?? [];
  const [, principalId, assignments, assignmentId] =
    /^\/servicePrincipals\/([\w-]+)(\/appRoleAssignments(?:\/([\w-]+))?)?$/.exec(path) ?? [];
  const object = appId
    ? found(tenant.applications, 'appId', appId)
    : found(tenant.servicePrincipals, 'id', principalId);
  const sent: unknown = body === undefined ? undefined : JSON.parse(body);
  if (body !== undefined && headers !== 'Content-Type=application/json') throw new Refused('UnsupportedMediaType');
  switch (method) {
    case 'get':
      return assignments ? { value: tenant.assignments.filter((one) => one['principalId'] === principalId) } : object;
    case 'patch':
      return change(tenant, `patch ${Object.keys(Object(sent)).join(',')}`, () => Object.assign(object, sent));
    case 'post': {
      if (!assignments || !isObject(sent) || sent['principalId'] !== principalId) throw new Refused('BadRequest');
      found(tenant.servicePrincipals, 'id', sent['resourceId']);
      const assignment = { ...sent, id: id(tenant, 'c') };
      return change(tenant, 'post appRoleAssignments', () => tenant.assignments.push(assignment));
    }
    case 'delete': {
      const index = tenant.assignments.indexOf(found(tenant.assignments, 'id', assignmentId));
      return change(tenant, 'delete appRoleAssignments', () => tenant.assignments.splice(index, 1));
    }
    default:
      throw new Refused(`MethodNotAllowed: ${method}`);
  }
}

function change<T>(tenant: Tenant, what: string, make: () => T): T {
  if (tenant.isReadOnly) throw new Refused('Insufficient privileges to complete the operation.');
  tenant.changes.push(what);
  return make();
}

function filtered(directory: readonly Directory[], filter = ''): readonly Directory[] {
  const [, name = '', value] = /^(\w+) eq '([^']*)'$/.exec(filter) ?? [];
  if (value === undefined) throw new Refused(`Invalid filter clause: ${filter}`);
  return directory.filter((entry) => entry[name] === value);
}

function found(directory: readonly Directory[], name: string, value: unknown): Directory {
  const entry = directory.find((one) => one[name] === value);
  if (entry === undefined)
    throw new Refused(`Resource '${value}' does not exist or one of its queried properties is not present.`);
  return entry;
}

function id(tenant: Tenant, kind: string): string {
  return `${kind}0000000-0000-0000-0000-${String(tenant.changes.length).padStart(12, '0')}`;
}

/** As the CLI prints it: a line for each element, nothing for null. */
function toTsv(value: unknown): string {
  if (Array.isArray(value)) return value.map(toTsv).join('\n');
  return value === null ? '' : String(value);
}

try {
  main(process.argv.slice(2), process.env['AZ_STATE'] ?? '');
} catch (error) {
  console.error(`ERROR: ${error instanceof Error ? error.message : error}`);
  process.exitCode = error instanceof Refused ? 1 : 2;
}
