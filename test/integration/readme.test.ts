import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { openPolicy } from '../../local/openPolicy.ts';
import { REPOSITORY_ROOT, type Site, startSite } from '../support/site.ts';

const run = promisify(execFile);
const hasCurl = spawnSync('curl', ['--version']).status === 0;
const DEFAULT_ADDRESS = /(127\.0\.0\.1|localhost):7071/g;

interface Example {
  readonly status: string;
  readonly command: string;
}

/** The blocks that end in a curl line, each behind a comment such as `<!-- expect 201 -->`. */
function readExamples(markdown: string): Example[] {
  const blocks = markdown.matchAll(/<!-- expect (\d{3}) -->\n```sh\n([\s\S]*?)\n```/g);
  return [...blocks].map(([, status = '', command = '']) => ({ status, command }));
}

const readme = ['README.md', 'docs/api/mail.md']
  .map((page) => readFileSync(path.join(REPOSITORY_ROOT, page), 'utf8'))
  .join('\n');
const examples = readExamples(readme);

test('knows what to expect of every curl line of the README and of docs/api/mail.md', () => {
  expect(examples.length).toBeGreaterThan(0);
  expect(readme.match(/^```sh\n[^`]*curl /gm)).toHaveLength(examples.length);
});

// A machine without curl cannot run the examples.
(hasCurl ? describe : describe.skip)('the README', () => {
  let site: Site;

  beforeAll(async () => {
    site = await startSite({ storage: true, settings: { POLICY: openPolicy(), UPLOAD_URL: 'proxy' } }); // As `npm start` does.
  });
  afterAll(() => site.close());

  test.each(examples)('is right about the status $status of: $command', async ({ status, command }) => {
    const here = command.replaceAll(DEFAULT_ADDRESS, new URL(site.url).host);

    const { stdout } = await run('sh', ['-c', `${here} -sS -w '\\n%{http_code}'`]);

    expect(here).not.toBe(command);
    expect(stdout.split('\n').at(-1)).toBe(status);
  });
});
