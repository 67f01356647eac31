import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { renderConfiguration } from '../../scripts/renderConfiguration.ts';
import { renderErrors } from '../../scripts/renderErrors.ts';

const ROOT = join(__dirname, '..', '..');

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The TypeScript files below these folders, as paths from the root. */
function sources(...folders: string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  );
}

describe('generated documents', () => {
  it.each([
    ['docs/errors.md', renderErrors],
    ['docs/configuration.md', renderConfiguration],
  ])('%s is what npm run generate makes of the source', (path, render) => {
    expect(read(path)).toBe(render());
  });
});

/** The Markdown files that git tracks, as paths from the root. */
function pages(): string[] {
  return execFileSync('git', ['ls-files', '*.md'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n');
}

/** Markdown without code, in which brackets are not links. */
function proseOf(markdown: string): string {
  return markdown.replace(/^```.*?^```$/gms, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ''));
}

/** The anchors that GitHub gives to the headings of a page. */
function anchorsOf(markdown: string): string[] {
  const headings = markdown.replace(/^```.*?^```$/gms, '').matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The relative links of a page that lead nowhere. */
function brokenLinks(page: string): string[] {
  const links = [...proseOf(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .filter((link) => {
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? page : join(dirname(page), file);
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
    });
}

describe('documents', () => {
  it('have only relative links and anchors that resolve', () => {
    const broken = pages().flatMap((page) => brokenLinks(page).map((link) => `${page}: ${link}`));

    expect(pages()).toContain('README.md');
    expect(broken).toEqual([]);
  });
});

describe('source', () => {
  it('reads the environment in the entry alone', () => {
    const readers = sources('shared', 'functions').filter((path) =>
      /process\s*\.\s*env\b|\benv\b.*from 'node:process'/.test(read(path)),
    );

    expect(readers).toEqual(['functions/main.ts']);
  });

  it("lets no operation have the app's tokens but through tokensFor and tokensForUpload, which ask as whom it acts", () => {
    const users = sources('shared').filter((path) => /\bappTokens\b/.test(read(path)));

    expect(users.sort()).toEqual([
      'shared/access/tokensFor.ts',
      'shared/access/tokensForUpload.ts',
      'shared/dependencies.ts',
      'shared/jobs/loadJob.ts', // requireJobs refuses a job for a caller that acts as its user.
      'shared/service.ts',
    ]);
  });

  it('registers no function whose name sorts after the owner of the rest', () => {
    const registering = sources('functions').filter((path) => !path.endsWith('platform.ts')); // It passes names on.
    const names = registering.flatMap((path) => {
      const text = read(path);
      const constants = new Map([...text.matchAll(/const (\w+) = '([^']+)'/g)].map(([, name, value]) => [name, value]));
      return [...text.matchAll(/\b(?:app\.(?!setup\b|hook\b)\w+|http)\(\s*(?:'([^']+)'|(\w+))/g)].map(
        ([, literal, constant]) => literal ?? constants.get(constant) ?? `unknown constant ${constant}`,
      );
    });

    expect(names).toEqual(expect.arrayContaining(['health', 'healthReady', 'zGraphPaths']));
    expect([...names].sort().at(-1)).toBe('zGraphPaths');
    expect(
      names
        .map((name) => name.toLowerCase())
        .sort()
        .at(-1),
    ).toBe('zgraphpaths');
  });
});
