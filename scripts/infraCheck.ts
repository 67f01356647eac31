import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseTemplate } from './infra/armTemplate.ts';
import type { Assertion } from './infra/assertion.ts';
import { findBicep } from './infra/findBicep.ts';
import { checkKeyLookups, checkResources } from './infra/resourceRules.ts';
import { checkSettings } from './infra/settingRules.ts';

/**
 * Usage: node scripts/infraCheck.ts [folder], the folder that holds main.bicep; default infra. Compiles and lints the
 * template, then asserts on what it deploys. Prints one line per assertion; exits 1 when one fails, 0 when there is no compiler.
 */
function main(folder: string): void {
  const bicep = findBicep(process.env);
  if (bicep === undefined) {
    console.log('skipped: neither bicep nor dotnet (on x64 Linux) is on PATH, and BICEP is not set');
    return;
  }
  try {
    const assertions = checkFolder(folder, bicep.path);
    for (const { says, faults } of assertions) {
      console.log(`${faults.length === 0 ? 'ok  ' : 'FAIL'} ${says}`);
      for (const fault of faults) console.log(`       ${fault}`);
    }
    if (assertions.some(({ faults }) => faults.length > 0)) process.exitCode = 1;
  } finally {
    bicep.remove();
  }
}

function checkFolder(folder: string, bicep: string): Assertion[] {
  const build = run(bicep, ['build', join(folder, 'main.bicep'), '--stdout']);
  const lint = run(bicep, ['lint', join(folder, 'main.bicep')]);
  const compiled = [
    { says: 'bicep build: no error, no warning', faults: build.complaints },
    { says: 'bicep lint: no error, no warning', faults: lint.complaints },
  ];
  if (!build.succeeded) return compiled;
  const template = parseTemplate(build.output);
  const parametersFile: unknown = JSON.parse(readFileSync(join(folder, 'main.parameters.json'), 'utf8'));
  return [
    ...compiled,
    checkKeyLookups(build.output),
    ...checkResources(template),
    ...checkSettings(template, parametersFile),
  ];
}

interface Run {
  readonly succeeded: boolean;
  readonly output: string;
  readonly complaints: readonly string[];
}

/** Whatever bicep writes to its error stream is a complaint: without errors and warnings it writes nothing there. */
function run(bicep: string, args: readonly string[]): Run {
  const { status, stdout, stderr, error } = spawnSync(bicep, args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (error !== undefined) throw error;
  const complaints = stderr.split('\n').filter((line) => line.trim() !== '');
  if (status !== 0 && complaints.length === 0) complaints.push(`bicep ended with ${status}`);
  return { succeeded: status === 0, output: stdout, complaints };
}

main(process.argv[2] ?? 'infra');
