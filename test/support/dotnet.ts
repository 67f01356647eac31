import { spawnSync } from 'node:child_process';
import path from 'node:path';

export type DotnetBuild =
  | { readonly kind: 'built' /** To be run with `dotnet`. */; readonly program: string }
  | { readonly kind: 'skipped'; readonly why: string };

/** With time for the packages to come over the network. */
const BUILD_TIMEOUT_MS = 150_000;

/**
 * Restores and builds a project of one program, with all that it writes in `folder`. Where the .NET 10 SDK or the project's
 * packages are not to be had, it says so.
 *
 * @throws Error where the project itself cannot be built
 */
export function buildDotnet(project: string, folder: string): DotnetBuild {
  const sdks = spawnSync('dotnet', ['--list-sdks'], { encoding: 'utf8' });
  if (!/^10\./m.test(sdks.stdout ?? '')) return { kind: 'skipped', why: 'there is no .NET 10 SDK' };
  const objects = `-p:BaseIntermediateOutputPath=${path.join(folder, 'obj')}/`;
  if (run('restore', project, objects).status !== 0) return { kind: 'skipped', why: 'its packages cannot be restored' };
  const bin = path.join(folder, 'bin');
  const settings = ['-p:UseAppHost=false', '-p:UseSharedCompilation=false', '-nodeReuse:false'];
  const built = run('build', project, '--no-restore', '--output', bin, objects, ...settings);
  if (built.status !== 0) throw new Error(`${project} cannot be built: ${built.stdout}`);
  return { kind: 'built', program: path.join(bin, `${path.basename(project, '.csproj')}.dll`) };
}

function run(...args: string[]) {
  const quiet = { DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1', MSBUILDDISABLENODEREUSE: '1' };
  return spawnSync('dotnet', args, { encoding: 'utf8', env: { ...process.env, ...quiet }, timeout: BUILD_TIMEOUT_MS });
}
