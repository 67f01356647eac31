import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { buildDotnet } from '../support/dotnet.ts';
import { REPOSITORY_ROOT, type Site, startSite } from '../support/site.ts';

const hasCurl = spawnSync('curl', ['--version']).status === 0;
const BLOCK_END = '=== end of block ===';
const FILE_BYTES = 9_000_000;

interface Block {
  /** Of the last response; undefined where none is shown. */
  readonly status: string | undefined;
  readonly lines: string;
}

/** The shell blocks of the document, each after `<!-- run -->` or a comment such as `<!-- expect 200 -->`. */
function readBlocks(markdown: string): Block[] {
  const blocks = markdown.matchAll(/<!-- (?:run|expect (\d{3})) -->\n```sh\n([\s\S]*?)\n```/g);
  return [...blocks].map(([, status, lines = '']) => ({ status, lines }));
}

/** The blocks of one language as one program: the document says that each continues the one before. */
function readProgram(language: string): string {
  const found = [...document.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))];
  return found.map(([, lines = '']) => lines).join('\n');
}

const document = readFileSync(path.join(REPOSITORY_ROOT, 'docs', 'quickstart.md'), 'utf8');
const blocks = readBlocks(document);
const folder = mkdtempSync(path.join(tmpdir(), 'quickstart-'));
const file = path.join(folder, 'report.pdf');
const dotnet = buildCsharp();

/** The program is written before a site runs, so the proxy's origin is its argument. */
function buildCsharp() {
  const project = path.join(folder, 'csharp');
  mkdirSync(project);
  copyFileSync(path.join(REPOSITORY_ROOT, 'examples/csharp/Attach.csproj'), path.join(project, 'Attach.csproj'));
  const program = readProgram('csharp').replace('"http://127.0.0.1:7071', 'args[0] + "');
  writeFileSync(path.join(project, 'Program.cs'), program);
  return buildDotnet(path.join(project, 'Attach.csproj'), folder);
}

function atSite(text: string): string {
  return text.replaceAll('127.0.0.1:7071', new URL(site.url).host);
}

/** What the command wrote. @throws Error where it fails */
async function run(command: string, ...args: string[]): Promise<string> {
  const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
  const [output, errors] = await Promise.all([
    child.stdout.setEncoding('utf8').toArray(),
    child.stderr.setEncoding('utf8').toArray(),
  ]);
  if ((await exited) !== 0) throw new Error(`${command} failed: ${output.join('')}${errors.join('')}`);
  return output.join('');
}

/** What each block wrote; they run one after another in one shell, as a reader would run them. */
async function runBlocks(): Promise<string[]> {
  const script = blocks.map(({ lines }) => `${lines}\nprintf '%s\\n' '${BLOCK_END}'`).join('\n');
  const output = await run('bash', '-euo', 'pipefail', '-c', atSite(script).replaceAll('curl -i', 'curl -sSi'));
  return output.split(BLOCK_END).slice(0, -1);
}

let site: Site;

beforeAll(async () => {
  // As `npm start` does.
  site = await startSite({ storage: true, settings: { UPLOAD_URL: 'proxy', ALLOW_ANY_MAILBOX: 'true' } });
});
beforeEach(() => {
  site.graph.reset();
  writeFileSync(file, Buffer.alloc(FILE_BYTES, 'report'));
});
afterAll(async () => {
  await site.close();
  rmSync(folder, { recursive: true });
});

/** Two attachments with the bytes of the file: one from the single call, one from the upload session. */
function expectAttachedTwice(): void {
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex');
  const attached = expect.objectContaining({ name: 'report.pdf', size: FILE_BYTES, sha256 });
  expect(site.graph.attachments(ADELE.id, ADELE.items.message[0])).toEqual([attached, attached]);
}

test('knows the status of every shell block', () => {
  expect(blocks.length).toBeGreaterThan(3);
  expect(document.match(/^```sh$/gm)).toHaveLength(blocks.length);
});

// A machine without curl cannot run them.
(hasCurl ? test : test.skip)('attaches a file and resumes an upload with curl', async () => {
  const outputs = await runBlocks();

  const statuses = outputs.map((output) => [...output.matchAll(/^HTTP\/1\.1 (\d{3}) (?!Continue)/gm)].at(-1)?.[1]);
  expect(statuses).toEqual(blocks.map(({ status }) => status));
  expect(outputs.at(-1)).toContain('"status":"completed"');
  expectAttachedTwice();
});

const PROGRAMS = [
  {
    language: 'JavaScript',
    start() {
      writeFileSync(path.join(folder, 'upload.mjs'), atSite(readProgram('js')));
      return run(process.execPath, 'upload.mjs');
    },
  },
  { language: 'Python', start: () => run('python3', '-c', atSite(readProgram('python'))) },
  ...(dotnet.kind === 'built' ? [{ language: 'C#', start: () => run('dotnet', dotnet.program, site.url) }] : []),
];

test.each(PROGRAMS)('attaches a file and uploads one in ranges with $language', async ({ start }) => {
  const [id, status] = (await start()).trim().split(/\r?\n/);

  expectAttachedTwice();
  expect(site.graph.attachments(ADELE.id, ADELE.items.message[0]).map((attachment) => attachment.id)).toContain(id);
  expect(status).toBe('completed');
});

if (dotnet.kind === 'skipped') test.skip(`attaches a file with C#: ${dotnet.why}`, () => {});
