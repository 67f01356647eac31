import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { REPOSITORY_ROOT, type Site, startSite } from '../support/site.ts';

const hasCurl = spawnSync('curl', ['--version']).status === 0;
const BLOCK_END = '=== end of block ===';

interface Block {
  /** Of the last answer; undefined where none is shown. */
  readonly status: string | undefined;
  readonly lines: string;
}

/** The shell blocks of the document, each behind `<!-- run -->` or a comment such as `<!-- expect 200 -->`. */
function readBlocks(markdown: string): Block[] {
  const blocks = markdown.matchAll(/<!-- (?:run|expect (\d{3})) -->\n```sh\n([\s\S]*?)\n```/g);
  return [...blocks].map(([, status, lines = '']) => ({ status, lines }));
}

const document = readFileSync(path.join(REPOSITORY_ROOT, 'docs', 'uploads.md'), 'utf8');
const blocks = readBlocks(document);

/** What each block wrote; they run one after another in one shell, as a reader would run them. */
async function runBlocks(folder: string): Promise<string[]> {
  const script = blocks.map(({ lines }) => `${lines}\nprintf '%s\\n' '${BLOCK_END}'`).join('\n');
  const here = script.replaceAll('127.0.0.1:7071', new URL(site.url).host).replaceAll('curl -i', 'curl -sSi');
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', here], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const output = await shell.stdout.setEncoding('utf8').toArray();
  return output.join('').split(BLOCK_END).slice(0, -1);
}

let site: Site;

test('knows what to expect of every block', () => {
  expect(blocks.length).toBeGreaterThan(3);
  expect(document.match(/^```sh$/gm)).toHaveLength(blocks.length);
});

// A machine without curl cannot run them.
(hasCurl ? describe : describe.skip)('docs/uploads.md', () => {
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'uploads-by-hand-'));
    // As `npm start` does.
    site = await startSite({ storage: true, settings: { UPLOAD_URL: 'proxy', ALLOW_ANY_MAILBOX: 'true' } });
  });
  afterAll(async () => {
    await site.close();
    rmSync(folder, { recursive: true });
  });

  test('shows how to resume by hand', async () => {
    const outputs = await runBlocks(folder);

    const statuses = outputs.map((output) => [...output.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].at(-1)?.[1]);
    expect(statuses).toEqual(blocks.map(({ status }) => status));
    expect(outputs.at(-1)).toContain('"status":"completed"');
    const file = readFileSync(path.join(folder, 'report.pdf'));
    const sha256 = createHash('sha256').update(file).digest('hex');
    expect(site.graph.attachments(ADELE.id, ADELE.items.message[0])).toEqual([expect.objectContaining({ sha256 })]);
  });
});
