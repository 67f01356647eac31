import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type EmulatorCertificate, writeTemporaryFiles } from './emulators/common/certificate.ts';
import { within } from './within.ts';

export interface AzuriteOptions {
  /** A folder that keeps the data over a restart. Absent: in memory. */
  readonly persistIn?: string;
  /** Absent or 0: free ones. */
  readonly ports?: Partial<Ports>;
  /** Serves over TLS, with bearer tokens of a managed identity as well as the account's key. */
  readonly certificate?: EmulatorCertificate;
  /** More accounts, with the same key. */
  readonly otherAccounts?: readonly string[];
}

interface Ports {
  readonly blob: number;
  readonly queue: number;
}

/** A storage account with blobs and queues, emulated by Azurite in another process. */
export type Azurite = Awaited<ReturnType<typeof startAzurite>>;

/** The account that `startAzurite` gives. */
export const ACCOUNT = 'emulated';
const START_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 5_000;

/** Starts Azurite on 127.0.0.1 and waits until it listens, about a second. It ends with this process at the latest. */
export async function startAzurite(options: AzuriteOptions = {}) {
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
    /** For AzureWebJobsStorage. The account's key is new at each start. */
    connectionString: [
      `DefaultEndpointsProtocol=${protocol}`,
      `AccountName=${ACCOUNT}`,
      `AccountKey=${accountKey}`,
      `BlobEndpoint=${blobUrl}`,
      `QueueEndpoint=${queueUrl}`,
    ].join(';'),
    accountKey,
    /** For AzureWebJobsStorage__blobServiceUri. */
    blobUrl,
    /** For AzureWebJobsStorage__queueServiceUri. */
    queueUrl,
    /** Ends the process. */
    stop,
    /** Ends the process if it runs, and starts it with the same key and ports. Without `persistIn` the data is lost. */
    async restart(): Promise<void> {
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
  const { certificate } = options;
  const tls = certificate && writeTemporaryFiles({ 'cert.pem': certificate.cert, 'key.pem': certificate.key });
  const child = fork(
    join(import.meta.dirname, 'azuriteProcess.ts'),
    [
      ...['--silent', '--disableTelemetry', '--skipApiVersionCheck'],
      ...['--blobPort', String(ports.blob), '--queuePort', String(ports.queue), '--tablePort', '0'],
      ...(options.persistIn === undefined ? ['--inMemoryPersistence'] : ['--location', options.persistIn]),
      ...(tls === undefined ? [] : ['--cert', join(tls.folder, 'cert.pem'), '--key', join(tls.folder, 'key.pem')]),
      ...(tls === undefined ? [] : ['--oauth', 'basic']),
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

/** Azurite prints the port of each service in turn. The table service, which is not used, is the last. */
async function readPorts(child: ChildProcess): Promise<Ports> {
  const ports = { blob: 0, queue: 0, table: 0 };
  const output: string[] = [];
  const listening = new Promise<'listening'>((resolve) => {
    const read = (line: string) => {
      output.push(line);
      const [, service, port] =
        /^Azurite (Blob|Queue|Table) service is successfully listening at .*:(\d+)$/.exec(line) ?? [];
      if (service === 'Blob') ports.blob = Number(port);
      if (service === 'Queue') ports.queue = Number(port);
      if (service === 'Table') resolve('listening');
    };
    for (const stream of [child.stdout, child.stderr]) if (stream) createInterface({ input: stream }).on('line', read);
  });
  const ended = once(child, 'exit').then(() => 'ended' as const);
  const outcome = (await within(Promise.race([listening, ended]), START_TIMEOUT_MS)) ?? 'late';
  if (outcome === 'listening') return ports;
  throw new Error(`Azurite did not start: ${outcome}. It wrote: ${output.join(' | ')}`);
}

/** @param isGraceful lets it write its memory to its folder */
async function stopProcess(child: ChildProcess, isGraceful: boolean): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  if (isGraceful) {
    child.send('shutdown', () => undefined);
    await within(Promise.race([servicesClosed(child), exited]), STOP_TIMEOUT_MS);
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
