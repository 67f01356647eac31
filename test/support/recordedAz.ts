import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface AzCall {
  readonly args: readonly string[];
  readonly stdout?: string;
  readonly stderr?: string;
  readonly status?: number;
}

/** Takes the calls in their order. A call with other arguments ends with 99, which no script expects. */
const AZ = `#!/usr/bin/env bash
folder=$(dirname "$0")
number=$(($(cat "$folder/count") + 1))
echo "$number" >"$folder/count"
printf '%s\\n' "$@" >"$folder/$number.actual"
if ! cmp -s "$folder/$number.actual" "$folder/$number.expected"; then
  echo "unexpected call $number: az $*" >&2
  exit 99
fi
cat "$folder/$number.stdout"
cat "$folder/$number.stderr" >&2
exit "$(cat "$folder/$number.status")"
`;

/** Runs the script with an `az` that takes exactly these calls; throws if it made fewer. */
export function runWithAz(script: string, args: readonly string[], calls: readonly AzCall[]) {
  const folder = mkdtempSync(join(tmpdir(), 'az-'));
  try {
    writeFileSync(join(folder, 'az'), AZ);
    chmodSync(join(folder, 'az'), 0o700);
    writeFileSync(join(folder, 'count'), '0');
    calls.forEach(({ args, stdout = '', stderr = '', status = 0 }, index) => {
      const file = (name: string) => join(folder, `${index + 1}.${name}`);
      writeFileSync(file('expected'), args.map((arg) => `${arg}\n`).join(''));
      writeFileSync(file('stdout'), stdout);
      writeFileSync(file('stderr'), stderr);
      writeFileSync(file('status'), String(status));
    });
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` };
    const { status, stdout, stderr } = spawnSync('bash', [script, ...args], { encoding: 'utf8', env });
    const unused = calls.findIndex((_, index) => !existsSync(join(folder, `${index + 1}.actual`)));
    if (unused >= 0) throw new Error(`The script did not make call ${unused + 1}. It printed:\n${stdout}${stderr}`);
    const count = Number(readFileSync(join(folder, 'count'), 'utf8'));
    if (count > calls.length) throw new Error(`The script made ${count} calls: ${stderr}`);
    return { status, stdout, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
