import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { EmulatorCertificate } from './emulators/common/certificate.ts';

export interface AzuriteOptions {
  /** A folder that keeps what is stored over a restart. Absent: in memory. */
  readonly persistIn?: string;
  /** Absent or 0: free ones. */
  readonly ports?: Partial<Ports>;
  /** Serves over TLS, where bearer tokens of a managed identity are taken as well as the account's key. */
  readonly certificate?: EmulatorCertificate;
  /** More accounts, with the same key. */
  readonly otherAccounts?: readonly string[];
}

interface Ports {
  readonly blob: number;
  readonly queue: number;
}

/** A storage account with blobs and queues, played by Azurite in a process of its own. */
export interface Azurite {
  /** For AzureWebJobsStorage. The account's key is made anew at each start. */
  readonly connectionString: string;
  readonly accountKey: string;
  /** For AzureWebJobsStorage__blobServiceUri. */
  readonly blobUrl: string;
  /** For AzureWebJobsStorage__queueServiceUri. */
  readonly queueUrl: string;
  /** Ends the process where it runs, and starts it with the same key and ports. Without `persistIn` the account is empty then. */
  restart(): Promise<void>;
  /** Ends the process; connections are refused from then on. */
  stop(): Promise<void>;
}

/** The account that `startAzurite` gives. */
export const ACCOUNT = 'emulated';
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;

/** Starts Azurite on 127.0.0.1 and waits until it listens, about a second. It ends with this process at the latest. */
export async function startAzurite(options: AzuriteOptions = {}): Promise<Azurite> {
  const accountKey = randomBytes(64).toString('base64');
  const accounts = [ACCOUNT, ...(options.otherAccounts ?? [])].map((name) => `${name}:${accountKey}`);
  const env = { ...process.env, AZURITE_ACCOUNTS: accounts.join(';') };
  let running = await startProcess(options, { blob: 0, queue: 0, ...options.ports }, env);
  const { ports } = running;
  const protocol = options.certificate === undefined ? 'http' : 'https';
  const blobUrl = `${protocol}://127.0.0.1:${ports.blob}/${ACCOUNT}`;
  const queueUrl = `${protocol}://127.0.0.1:${ports.queue}/${ACCOUNT}`;
  const stop = () => stopProcess(running.child, options.persistIn !== undefined);
  return {
    connectionString: [
      `DefaultEndpointsProtocol=${protocol}`,
      `AccountName=${ACCOUNT}`,
      `AccountKey=${accountKey}`,
      `BlobEndpoint=${blobUrl}`,
      `QueueEndpoint=${queueUrl}`,
    ].join(';'),
    accountKey,
    blobUrl,
    queueUrl,
    stop,
    async restart() {
      await stop();
      running = await startProcess(options, ports, env);
    },
  };
}

interface Running {
  readonly child: ChildProcess;
  readonly ports: Ports;
}

async function startProcess(options: AzuriteOptions, ports: Ports, env: NodeJS.ProcessEnv): Promise<Running> {
  const tls = options.certificate && writeTlsFiles(options.certificate);
  const child = fork(
    join(import.meta.dirname, 'azuriteProcess.ts'),
    [
      ...['--silent', '--disableTelemetry', '--skipApiVersionCheck'],
      ...['--blobPort', String(ports.blob), '--queuePort', String(ports.queue), '--tablePort', '0'],
      ...(options.persistIn === undefined ? ['--inMemoryPersistence'] : ['--location', options.persistIn]),
      ...(tls === undefined ? [] : ['--cert', tls.cert, '--key', tls.key, '--oauth', 'basic']),
    ],
    { cwd: tmpdir(), env, execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
  try {
    return { child, ports: await readPorts(child) };
  } catch (error) {
    await stopProcess(child, false);
    throw error;
  } finally {
    tls?.remove();
  }
}

/** Azurite says where each service listens, one after another; the table service, which nobody here uses, is the last. */
async function readPorts(child: ChildProcess): Promise<Ports> {
  const ports = { blob: 0, queue: 0, table: 0 };
  const output: string[] = [];
  const isListening = new Promise<void>((resolve) => {
    const read = (line: string) => {
      output.push(line);
      const [, service, port] =
        /^Azurite (Blob|Queue|Table) service is successfully listening at .*:(\d+)$/.exec(line) ?? [];
      if (service === 'Blob') ports.blob = Number(port);
      if (service === 'Queue') ports.queue = Number(port);
      if (service === 'Table') resolve();
    };
    for (const stream of [child.stdout, child.stderr]) if (stream) createInterface({ input: stream }).on('line', read);
  });
  const timer = new AbortController();
  const tooLate = delay(START_TIMEOUT_MS, 'late' as const, { signal: timer.signal }).catch(() => 'late' as const);
  const ended = once(child, 'exit').then(() => 'ended' as const);
  const outcome = await Promise.race([isListening, ended, tooLate]);
  timer.abort();
  if (outcome === undefined) return ports;
  throw new Error(`Azurite did not start: ${outcome}. It wrote: ${output.join(' | ')}`);
}

/** @param isGraceful lets it write to its folder what it still holds in memory */
async function stopProcess(child: ChildProcess, isGraceful: boolean): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  if (isGraceful) {
    child.send('shutdown', () => undefined);
    await Promise.race([servicesClosed(child), exited, delay(STOP_TIMEOUT_MS, undefined, { ref: false })]);
  }
  child.kill('SIGKILL');
  await exited;
}

async function servicesClosed(child: ChildProcess): Promise<void> {
  let open = 3;
  const { promise, resolve } = Promise.withResolvers<void>();
  child.stdout?.on('data', (text: Buffer) => {
    open -= text.toString().split('successfully closed').length - 1;
    if (open <= 0) resolve();
  });
  await promise;
}

function writeTlsFiles({ cert, key }: EmulatorCertificate): { cert: string; key: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'azurite-tls-'));
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
  return { ...files, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
