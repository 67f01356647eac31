import { spawnSync } from 'node:child_process';
import { accessSync, chmodSync, constants, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Bicep {
  readonly path: string;
  /** Removes what was fetched; does nothing for a compiler that was there before. */
  readonly remove: () => void;
}

const VERSION = '0.49.2';
const PACKAGE = 'Azure.Bicep.CommandLine.linux-x64';

/** A project that builds nothing: it only makes NuGet fetch the package, with the feeds and proxies of the machine. */
const PROJECT = `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net8.0</TargetFramework>
    <DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences>
  </PropertyGroup>
  <ItemGroup>
    <PackageDownload Include="${PACKAGE}" Version="[${VERSION}]" />
  </ItemGroup>
</Project>
`;

/** Whether findBicep has anything to go by: the BICEP variable, `bicep`, or (on x64 Linux) `dotnet`. */
export function canFindBicep(environment: Environment): boolean {
  return installedBicep(environment) !== undefined || canFetch(environment);
}

/**
 * The Bicep compiler: the file that BICEP names, the one on PATH, or the NuGet package, fetched into a temporary folder.
 * Undefined when there is no way to get one; throws when fetching fails.
 */
export function findBicep(environment: Environment): Bicep | undefined {
  const installed = installedBicep(environment);
  if (installed !== undefined) return { path: installed, remove: () => undefined };
  return canFetch(environment) ? fetchBicep() : undefined;
}

function installedBicep(environment: Environment): string | undefined {
  return environment['BICEP'] || findOnPath('bicep', environment);
}

function canFetch(environment: Environment): boolean {
  const isSupported = process.platform === 'linux' && process.arch === 'x64';
  return isSupported && findOnPath('dotnet', environment) !== undefined;
}

/** A fresh folder each time: a fixed one in the shared temporary folder could be filled by somebody else beforehand. */
function fetchBicep(): Bicep {
  const folder = mkdtempSync(join(tmpdir(), 'bicep-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const project = join(folder, 'bicep.csproj');
    writeFileSync(project, PROJECT);
    const { status, stdout, stderr } = spawnSync(
      'dotnet',
      ['restore', project, '--packages', join(folder, 'packages')],
      {
        encoding: 'utf8',
      },
    );
    if (status !== 0) throw new Error(`dotnet restore could not fetch ${PACKAGE} ${VERSION}:\n${stdout}${stderr}`);
    const path = join(folder, 'packages', PACKAGE.toLowerCase(), VERSION, 'tools', 'bicep');
    chmodSync(path, 0o700);
    return { path, remove };
  } catch (error) {
    remove();
    throw error;
  }
}

function findOnPath(command: string, environment: Environment): string | undefined {
  const names = process.platform === 'win32' ? [`${command}.exe`, `${command}.cmd`] : [command];
  return (environment['PATH'] ?? '')
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  if (!existsSync(path) || !statSync(path).isFile()) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
