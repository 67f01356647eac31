import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ParseArgsConfig } from 'node:util';
import { readLocalValues } from '../local/host/settings.ts';
import { loadPolicy, type PolicyResult, type PolicySettings } from '../shared/access/loadPolicy.ts';
import { policySource } from '../shared/config/config.ts';
import { type ConfigError, type Environment, readSettings } from '../shared/config/readSettings.ts';
import { endWrongCall, readCommandLine } from './commandLine.ts';
import { describeGrant, explainPolicy } from './explainPolicy.ts';

const USAGE = `npm run policy -- check [--file policy.json]
npm run policy -- explain --caller NAME|appId|functionKey --mailbox ID|me | --group ID
                          --kind message|event|todoTask|outlookTask|post --size BYTES
                          [--operation createUploadSession|attach] [--source URL]
                          [--user OID (a delegated token of that user)] [--me-mailbox ID] [--file policy.json]
Without --file: the policy that the app would read, by POLICY, POLICY_FILE or policy.json beside host.json.
check exits 1 on a fault; explain exits 0 when allowed, 1 when denied; 2 is a wrong call.`;

const OPTIONS = {
  file: { type: 'string' },
  caller: { type: 'string' },
  user: { type: 'string' },
  operation: { type: 'string', default: 'createUploadSession' },
  mailbox: { type: 'string' },
  group: { type: 'string' },
  kind: { type: 'string' },
  size: { type: 'string' },
  source: { type: 'string' },
  'me-mailbox': { type: 'string' },
} as const satisfies ParseArgsConfig['options'];

/** The settings that concern the policy; faults of others are not this command's to report. */
const CONCERNED = [
  'CALLER_AUTH',
  'OBO_CLIENT_ID',
  'POLICY_FILE',
  'POLICY',
  'ME_MAILBOX',
  'ALLOW_ANY_MAILBOX',
  'UPLOAD_URL',
];

function main(): void {
  const { values, positionals } = readCommandLine(USAGE, OPTIONS);
  const [command] = positionals;
  if (command !== 'check' && command !== 'explain') endWrongCall(`Unknown command '${command ?? ''}'.`);
  const appRoot = folderOfHostJson(process.cwd());
  if (appRoot === undefined && values.file === undefined) {
    endWrongCall('There is no host.json here or in a folder above: name the policy with --file.');
  }
  const settings = readPolicySettings(appRoot, values);
  if ('faults' in settings) report(settings.faults.map(({ setting, fault }) => `${setting}: ${fault}`));
  const loaded = loadPolicy(settings, values.file === undefined ? (appRoot ?? '.') : process.cwd());
  if (loaded.kind === 'broken') {
    report(loaded.faults.map(({ pointer, fault }) => `${loaded.source}${pointer === '/' ? '' : pointer}: ${fault}`));
  }
  if (command === 'check') check(loaded);
  else explain(loaded, values);
}

type Values = ReturnType<typeof readCommandLine<typeof OPTIONS>>['values'];

type LoadedPolicy = Extract<PolicyResult, { kind: 'ok' }>;

function check({ document, policy, source }: LoadedPolicy): void {
  if (document === undefined) {
    console.log('There is no policy; docs/policy.md says what is reachable without one.');
    return;
  }
  const grants = document.callers.flatMap(({ appId }) => {
    return (appId === undefined ? policy.functionKey : policy.apps.get(appId.toLowerCase())) ?? [];
  });
  const count = grants.length === 1 ? '1 caller' : `${grants.length} callers`;
  console.log([`${source}: ${count}, no fault`, ...grants.map(describeGrant)].join('\n'));
}

function explain(loaded: LoadedPolicy, values: Values): void {
  const { caller, user, operation, mailbox, group, kind, size, source } = values;
  if (!caller || !kind || !size || (mailbox === undefined) === (group === undefined)) {
    endWrongCall('explain needs --caller, --kind, --size and one of --mailbox and --group.');
  }
  const question = { caller, user, operation, mailbox, group, kind, size: Number(size), source };
  const explanation = explainPolicy(loaded, question);
  if (explanation.kind === 'badQuestion') endWrongCall(explanation.fault);
  console.log(explanation.text);
  process.exitCode = explanation.allowed ? 0 : 1;
}

function report(faults: readonly string[]): never {
  console.error(faults.join('\n'));
  process.exit(1);
}

function folderOfHostJson(folder: string): string | undefined {
  if (existsSync(join(folder, 'host.json'))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : folderOfHostJson(parent);
}

/**
 * As the app would read them, local.settings.json included. Only whoever sets CALLER_AUTH here has it and OBO_CLIENT_ID
 * count against the policy: the machine that checks one need not know them.
 */
function readPolicySettings(
  appRoot: string | undefined,
  options: { readonly file?: string; readonly 'me-mailbox'?: string },
): PolicySettings | { readonly faults: readonly ConfigError[] } {
  const { file } = options;
  const given: Environment = { ...localValues(appRoot), ...process.env };
  const environment: Environment = {
    CALLER_AUTH: 'entra',
    ...given,
    ...(file === undefined ? {} : { POLICY: undefined, POLICY_FILE: file }),
  };
  const found: ConfigError[] = [];
  const values = readSettings(environment, found);
  const source = policySource(values, environment, found);
  const faults = found.filter(({ setting }) => CONCERNED.includes(setting));
  if (faults.length > 0) return { faults };
  return {
    policySource: source,
    meMailbox: options['me-mailbox'] ?? values.ME_MAILBOX,
    allowAnyMailbox: values.ALLOW_ANY_MAILBOX,
    uploadUrl: values.UPLOAD_URL,
    callerAuth: { kind: values.CALLER_AUTH },
    canActForUsers: values.OBO_CLIENT_ID !== undefined || given['CALLER_AUTH'] === undefined,
  };
}

function localValues(appRoot: string | undefined): Environment {
  if (appRoot === undefined) return {};
  try {
    return readLocalValues(appRoot);
  } catch (error) {
    return report([`local.settings.json: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

main();
