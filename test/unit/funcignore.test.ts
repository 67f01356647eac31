import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { publishContents } from '../../scripts/publishContents.ts';

const ROOT = join(__dirname, '..', '..');
const FUNCIGNORE = readFileSync(join(ROOT, '.funcignore'), 'utf8');

/** All that is published. */
const PUBLISHED = [
  'LICENSE',
  'dist/identityLibrary.cjs',
  'dist/main.cjs',
  'dist/main.cjs.map',
  'dist/openapi/swagger.json',
  'host.json',
  'package.json',
  'policy.json',
];

/** What else lies in a developer's folder, the secrets among it. */
const NOT_PUBLISHED = [
  '.azure/prod/.env',
  '.ci/run',
  '.env',
  '.funcignore',
  '.git/config',
  '.gitignore',
  '.npmrc',
  '.vscode/settings.json',
  'README.md',
  'azure.yaml',
  'bench/run.ts',
  'biome.json',
  'certificate.pem',
  'coverage/lcov.info',
  'distribution.md',
  'docs/deploy.md',
  'examples/curl/upload.sh',
  'functions/main.ts',
  'infra/main.bicep',
  'jest.config.js',
  'local.settings.json',
  'local/policy.json',
  'local/start.ts',
  'node_modules/.bin/esbuild',
  'node_modules/.package-lock.json',
  'node_modules/ajv/dist/ajv.js',
  'node_modules/ajv/package.json',
  'package-lock.json',
  'package/host.json',
  'policy.schema.json',
  'scripts/build.ts',
  'shared/config/config.ts',
  'test/fixtures/dist/main.cjs',
  'test/fixtures/host.json',
  'tsconfig.json',
];

const FILES = [...PUBLISHED, ...NOT_PUBLISHED].sort();

describe('.funcignore', () => {
  test('publishes exactly the built app with func', () => {
    const published = publishContents(FILES, FUNCIGNORE);

    expect(published).toEqual(PUBLISHED);
  });

  test('keeps out every other file of the repository', () => {
    const list = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    const files = list.split('\n').filter((file) => file !== '');

    const published = publishContents(files, FUNCIGNORE);

    expect(published).toEqual(expect.arrayContaining(['LICENSE', 'host.json', 'package.json']));
    expect(published.filter((file) => !PUBLISHED.includes(file))).toEqual([]);
  });

  test('means the same to azd, which reads it as a gitignore file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'funcignore-'));
    try {
      for (const file of FILES.filter((name) => !name.startsWith('.git/'))) {
        mkdirSync(dirname(join(folder, file)), { recursive: true });
        writeFileSync(join(folder, file), '');
      }
      writeFileSync(join(folder, '.funcignore'), FUNCIGNORE);
      const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' });
      git('init', '--quiet');

      const kept = git('ls-files', '--others', '--exclude-from=.funcignore').trim().split('\n').sort();

      expect(kept).toEqual(PUBLISHED);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('leaves the folder node_modules itself to azd, which asks for that with remoteBuild: false', () => {
    const folder = mkdtempSync(join(tmpdir(), 'funcignore-'));
    try {
      mkdirSync(join(folder, 'node_modules', 'ajv'), { recursive: true });
      writeFileSync(join(folder, '.gitignore'), FUNCIGNORE);
      execFileSync('git', ['init', '--quiet'], { cwd: folder });

      const ignored = execFileSync('git', ['check-ignore', '--stdin'], {
        cwd: folder,
        encoding: 'utf8',
        input: 'node_modules\nnode_modules/ajv\n',
      });

      expect(ignored).toBe('node_modules/ajv\n');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('publishContents', () => {
  test.each([
    ['matches only at the root', '*.ts', ['a.ts', 'src/b.ts'], ['src/b.ts']],
    [
      'goes on after a word boundary',
      'test',
      ['test.config.js', 'test-data/a', 'tests/a', 'src/test'],
      ['tests/a', 'src/test'],
    ],
    ['needs a folder for **/', '**/x.md', ['x.md', 'a/x.md', 'a/b/x.md'], ['x.md']],
    ['lets a negated line win wherever it stands', '!a.md\n*', ['a.md', 'b.md'], ['a.md']],
    ['reads brackets and question marks literally', '[ab]\nc?', ['a', 'b', 'cd'], ['a', 'b', 'cd']],
    ['skips comments, blank lines and carriage returns', '# a\r\n\r\nb\r\n', ['a', 'b'], ['a']],
    [
      'takes everything from an empty file, save what is always excluded',
      '',
      ['a', '.vscode/b', 'c/local.settings.json'],
      ['a'],
    ],
  ])('%s', (_rule, funcignore, files, expected) => {
    expect(publishContents(files, funcignore)).toEqual(expected);
  });
});
