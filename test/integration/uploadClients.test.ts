import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { buildDotnet } from '../support/dotnet.ts';
import { type SecureSite, startSecureSite } from '../support/secureSite.ts';
import { REPOSITORY_ROOT } from '../support/site.ts';

const execute = promisify(execFile);
const CLIENTS = path.join(REPOSITORY_ROOT, 'test', 'support', 'clients');
const [messageId] = ADELE.items.message;
const KIBIBYTE = 1024;
const FIVE_MEBIBYTES = 5 * 1024 * KIBIBYTE;
const SIZES = [5_000_000, 20_000_000];

const folder = mkdtempSync(path.join(tmpdir(), 'upload-clients-'));
const dotnet = buildDotnet(path.join(CLIENTS, 'dotnet', 'Upload.csproj'), folder);

let site: SecureSite;

beforeAll(async () => {
  site = await startSecureSite({ storage: true, settings: { UPLOAD_URL: 'proxy', ALLOW_ANY_MAILBOX: 'true' } });
});
beforeEach(() => {
  site.graph.reset();
  site.front.reset();
});
afterAll(async () => {
  await site.close();
  rmSync(folder, { recursive: true });
});

interface Result {
  readonly sha256: string;
  readonly location?: string;
  readonly error?: string;
  readonly isCancelled?: boolean;
}

interface Client {
  readonly name: string;
  /** Sends a generated file; every program takes the same arguments. */
  run(sizeBytes: number, way: 'upload' | 'resume' | 'cancel'): Promise<Result>;
  readonly sliceBytes: number;
}

/** Clients run in their own processes: what a process trusts is settled when it starts. */
async function run(command: string, program: string, sizeBytes: number, way: string): Promise<Result> {
  const given = [site.secureApi, ADELE.userPrincipalName, messageId, String(sizeBytes), way];
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: site.caPath, SSL_CERT_FILE: site.caPath };
  const { stdout } = await execute(command, [program, ...given], { env });
  return JSON.parse(stdout);
}

function nodeClient(name: string, script: string, sliceBytes: number): Client {
  const program = path.join(CLIENTS, script);
  return { name, run: (sizeBytes, way) => run(process.execPath, program, sizeBytes, way), sliceBytes };
}

const graphSdk = nodeClient('the Graph JavaScript SDK', 'graphSdkUpload.ts', FIVE_MEBIBYTES);
const kiota = nodeClient('the generated Graph SDK (kiota)', 'kiotaUpload.ts', 320 * KIBIBYTE);
const java = nodeClient('what the Graph SDK for Java sends', 'javaReplay.ts', FIVE_MEBIBYTES);
const python = nodeClient('what the Graph SDK for Python sends', 'pythonReplay.ts', FIVE_MEBIBYTES);
const dotnetSdk: Client = {
  name: 'Microsoft.Graph.Core for .NET',
  run: (sizeBytes, way) => run('dotnet', dotnet.kind === 'built' ? dotnet.program : '', sizeBytes, way),
  sliceBytes: FIVE_MEBIBYTES,
};
const stock = [graphSdk, kiota, ...(dotnet.kind === 'built' ? [dotnetSdk] : [])];

if (dotnet.kind === 'skipped') test.skip(`runs the upload task of .NET: ${dotnet.why}`, () => {});

function slices(sizeBytes: number, sliceBytes: number, offset = 0): string[] {
  const ranges: string[] = [];
  for (let first = offset; first < sizeBytes; first += sliceBytes) {
    ranges.push(`bytes ${first}-${Math.min(first + sliceBytes, sizeBytes) - 1}/${sizeBytes}`);
  }
  return ranges;
}

/** What was sent to uploadUrls: methods, and the ranges of PUTs. */
function sent(): string[] {
  const uploads = site.front.requests.filter(({ path: target }) => target.startsWith('/api/uploadSessions/'));
  // None of them sends a token or a key there.
  expect(uploads.flatMap(({ headers }) => headers.authorization ?? headers['x-functions-key'] ?? [])).toEqual([]);
  return uploads.map(({ method, headers }) => headers['content-range'] ?? method);
}

/** The file is on the message, whole and once. */
function expectAttached({ sha256 }: Result, sizeBytes: number): string {
  const attachments = site.graph.attachments(ADELE.id, messageId);
  expect(attachments).toEqual([expect.objectContaining({ name: 'report.pdf', size: sizeBytes, sha256 })]);
  return attachments[0]?.id ?? '';
}

describe.each(SIZES)('a file of %d bytes', (sizeBytes) => {
  test.each([graphSdk, java, ...(dotnet.kind === 'built' ? [dotnetSdk] : [])])(
    'is attached by $name, in its own slices, which gets the Location',
    async ({ run: upload, sliceBytes }) => {
      const result = await upload(sizeBytes, 'upload');

      const id = expectAttached(result, sizeBytes);
      expect(decodeURIComponent(result.location ?? '')).toContain(`Attachments('${id}')`);
      expect(sent()).toEqual(slices(sizeBytes, sliceBytes));
    },
  );

  test('is attached by the generated Graph SDK (kiota), in its own slices, which misses a body in the last answer', async () => {
    const result = await kiota.run(sizeBytes, 'upload');

    expectAttached(result, sizeBytes);
    expect(result.error).toBe('no response content type found for deserialization');
    expect(sent()).toEqual(slices(sizeBytes, kiota.sliceBytes));
  });
});

test('takes the longer slices of the Graph SDK for Python, and its last one again', async () => {
  const result = await python.run(20_000_000, 'upload');

  expectAttached(result, 20_000_000);
  const last = 'bytes 15728642-19999999/20000000';
  expect(sent()).toEqual([
    'bytes 0-5242879/20000000',
    'bytes 5242880-10485760/20000000',
    'bytes 10485761-15728641/20000000',
    last,
    last,
  ]);
});

test('takes from the Graph SDK for Python the only slice of a file again, which has no bytes then', async () => {
  const result = await python.run(5_000_000, 'upload');

  expectAttached(result, 5_000_000);
  expect(sent()).toEqual(['bytes 0-4999999/5000000', 'bytes 0-4999999/5000000']);
});

test('says truly to the Graph SDK for Java, which leaves out a last slice of one byte, that the byte is missing', async () => {
  const result = await java.run(FIVE_MEBIBYTES + 1, 'upload');

  expect(result.error).toMatch('maximum number of times');
  expect(site.graph.attachments(ADELE.id, messageId)).toEqual([]);
  expect(sent()).toEqual([`bytes 0-${FIVE_MEBIBYTES - 1}/${FIVE_MEBIBYTES + 1}`, 'GET', 'GET', 'GET']);
});

// What kiota's task reads of a GET it cannot parse, from Graph or the proxy: it names no type for nextExpectedRanges.
test.each(stock.filter((client) => client !== kiota))('lets $name resume', async ({ run: upload, sliceBytes }) => {
  const result = await upload(20_000_000, 'resume');

  expectAttached(result, 20_000_000);
  const [first, ...rest] = slices(20_000_000, sliceBytes);
  expect(sent()).toEqual([first, 'GET', ...rest]);
});

test.each(stock)('lets $name cancel', async ({ run: upload, sliceBytes }) => {
  await upload(20_000_000, 'cancel');

  expect(site.graph.attachments(ADELE.id, messageId)).toEqual([]);
  expect(site.graph.requests.at(-1)).toMatchObject({ method: 'DELETE', status: 204 });
  expect(sent()).toEqual([slices(20_000_000, sliceBytes)[0], 'DELETE']);
});
