import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { accessSync, constants, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { describeItems } from '../../scripts/describe/operations.ts';
import { REPOSITORY_ROOT, type Site, startSite } from '../support/site.ts';

const run = promisify(execFile);
const chromium = findChromium();
const itInChromium = chromium === undefined ? it.skip : it;
const skipped = chromium === undefined ? ' (skipped: no Chromium on the PATH)' : '';

let site: Site;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'docs-page-'));
  site = await startSite({ settings: { ALLOW_ANY_MAILBOX: 'true' } }); // As `npm start` does.
});
afterAll(async () => {
  await site.close();
  rmSync(folder, { recursive: true });
});

interface SeenPage {
  readonly overview: string;
  readonly operation: string;
  readonly requests: readonly { readonly url: string; readonly status?: number }[];
  readonly complaints: readonly string[];
}

interface AttachedOnPage extends Pick<SeenPage, 'requests' | 'complaints'> {
  readonly answer: string;
}

describe('GET docs', () => {
  it('lets no page run or fetch what is not its own', async () => {
    const response = await fetch(`${site.api}/docs`);
    const html = await response.text();

    const policy = response.headers.get('content-security-policy')?.split('; ');
    expect(policy).toEqual(expect.arrayContaining(["default-src 'none'", "script-src 'self'", "connect-src 'self'"]));
    expect(policy?.join()).not.toMatch(/https?:|\*|unsafe-eval/);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(html).not.toMatch(/\b(?:src|href)="(?:https?:)?\/\//);
  });

  it('sends a reader who adds a slash to the page', async () => {
    const response = await fetch(`${site.api}/docs/`);

    expect([response.status, response.url]).toEqual([200, `${site.api}/docs`]);
  });

  it('serves the viewer itself', async () => {
    const response = await fetch(`${site.api}/docs/viewer.js`);

    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(Number(response.headers.get('content-length'))).toBeLessThan(1_000_000);
  });

  itInChromium(`attaches a file that a person picks, by the strict policy of the page${skipped}`, async () => {
    const script = path.join(REPOSITORY_ROOT, 'test/support/openapi/attachOnPage.ts');
    const file = path.join(folder, 'Bericht für Zoë.pdf');
    const bytes = randomBytes(5_242_880);
    writeFileSync(file, bytes);
    const [message] = describeItems();
    const screenshot = process.env['TRY_SCREENSHOT'] ?? path.join(folder, 'try.png');

    const { stdout } = await run(process.execPath, [
      script,
      chromium ?? '',
      `${site.api}/docs`,
      message?.attach.summary ?? '',
      file,
      screenshot,
      `mailbox=${ADELE.userPrincipalName}`,
      `messageId=${ADELE.items.message[0]}`,
      `name=${path.basename(file)}`,
    ]);

    const { answer, requests, complaints }: AttachedOnPage = JSON.parse(stdout);
    const attachments = site.graph.attachments(ADELE.id, ADELE.items.message[0]);
    expect(attachments).toEqual([
      expect.objectContaining({
        name: path.basename(file),
        contentType: 'application/pdf', // Of the picked file: the viewer's own header is application/octet-stream.
        sha256: createHash('sha256').update(bytes).digest('hex'),
      }),
    ]);
    expect(answer).toContain('201');
    expect(answer).toContain(attachments[0]?.id);
    expect(requests.filter(({ status = 200 }) => status >= 400)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  itInChromium(`renders in Chromium with no request to another host and no complaint${skipped}`, async () => {
    const script = path.join(REPOSITORY_ROOT, 'test/support/openapi/openPage.ts');
    const screenshot = process.env['DOCS_SCREENSHOT'] ?? path.join(folder, 'docs.png');
    const summaries = describeItems().flatMap(({ attach, openSession }) => [attach.summary, openSession.summary]);
    const first = describeItems()[0]?.openSession.summary;

    const { stdout } = await run(process.execPath, [
      script,
      chromium ?? '',
      `${site.api}/docs`,
      first ?? '',
      'contentId',
      screenshot,
    ]);

    const { overview, operation, requests, complaints }: SeenPage = JSON.parse(stdout);
    for (const text of ['Graph Upload Session Proxy', packageJson.version, ...summaries]) {
      expect(overview).toContain(text);
    }
    for (const text of ['POST', 'mailbox', 'AttachmentItem', 'size', 'InvalidAttachment']) {
      expect(operation).toContain(text);
    }
    const hosts = requests.filter(({ url }) => !url.startsWith('data:')).map(({ url }) => new URL(url).origin);
    expect([...new Set(hosts)]).toEqual([site.url]);
    expect(requests.filter(({ status = 200 }) => status >= 400)).toEqual([]);
    expect(complaints).toEqual([]);
    expect(statSync(screenshot).size).toBeGreaterThan(10_000);
  });
});

/** The browser's path, as the tool that drives it does not search the PATH. */
function findChromium(): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  return ['chromium', 'chromium-browser', 'google-chrome']
    .flatMap((name) => folders.map((folderOfPath) => path.join(folderOfPath, name)))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
