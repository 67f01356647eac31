import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { REPOSITORY_ROOT, type Site, startSite } from '../support/site.ts';

const run = promisify(execFile);
const KEY = 'key-of-the-test';

/** A program that a developer might write against the generated types; the marked line must not compile without its mark. */
const CLIENT = `
import createClient from 'openapi-fetch';
import type { paths } from './api.d.ts';

const [, , baseUrl = '', key = '', mailbox = '', messageId = ''] = process.argv;
const client = createClient<paths>({ baseUrl, headers: { 'x-functions-key': key } });
const route = '/users/{mailbox}/messages/{messageId}/attachments/createUploadSession';
const params = { path: { mailbox, messageId } };

const { data, response } = await client.POST(route, {
  params,
  body: { AttachmentItem: { attachmentType: 'file', name: 'report.pdf', size: 5_242_880 } },
});
const refused = await client.POST(route, {
  params,
  // @ts-expect-error: the size is missing.
  body: { AttachmentItem: { attachmentType: 'file', name: 'report.pdf' } },
});
const session: string | undefined = data?.uploadUrl;
const code: string | undefined = refused.error?.error.details?.[0]?.code;

const uploadId = session?.split('/').at(-1) ?? '';
const sent = await client.PUT('/uploadSessions/{uploadId}', {
  params: { path: { uploadId }, header: { 'Content-Range': 'bytes 0-5242879/5242880' } },
  body: new Uint8Array(5_242_880),
  bodySerializer: (bytes) => bytes,
  headers: { 'content-type': 'application/octet-stream' },
});
const location = sent.response.headers.get('location');
const shown = await client.GET('/uploadSessions/{uploadId}', { params: { path: { uploadId } } });
const upload: 'uploading' | 'completed' | 'failed' | 'cancelled' | undefined = shown.data?.status;
const cancelled = await client.DELETE('/uploadSessions/{uploadId}', { params: { path: { uploadId } } });
const refusal: string | undefined = cancelled.error?.error.code;

const attachments = '/users/{mailbox}/messages/{messageId}/attachments';
const whole = await client.POST(attachments, {
  params: { ...params, query: { name: 'whole.pdf' } },
  body: new Uint8Array(3_000_000),
  bodySerializer: (bytes) => bytes,
  headers: { 'content-type': 'application/octet-stream' },
});
const inJson = await client.POST(attachments, {
  params,
  body: { '@odata.type': '#microsoft.graph.fileAttachment', name: 'small.pdf', contentBytes: 'JVBERi0xLjcK' },
});
const names: (string | undefined)[] = [whole.data?.name, inJson.data?.name];
console.log(JSON.stringify({ status: response.status, names, session, code, location, upload, refusal }));
`;

let site: Site;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'generated-client-'));
  site = await startSite({
    host: { enableAuth: true, functionKey: KEY },
    settings: { ALLOW_ANY_MAILBOX: 'true', UPLOAD_URL: 'proxy' },
    storage: true,
  });
});
afterAll(async () => {
  await site.close();
  await rm(folder, { recursive: true });
});

describe.each(['openapi.json', 'swagger.json'])('GET %s', (name) => {
  it('needs no key and may be read by any page, but not stored', async () => {
    const response = await fetch(`${site.api}/${name}`);

    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/json',
      'access-control-allow-origin': '*',
      'cache-control': 'no-store',
    });
    expect(await response.json()).toMatchObject({ info: { version: packageJson.version } });
  });

  it('passes the validator of its specification', async () => {
    const script = path.join(REPOSITORY_ROOT, 'test/support/openapi/validateDescription.ts');

    const { stdout } = await run(process.execPath, [script, `${site.api}/${name}`]);

    expect(JSON.parse(stdout)).toEqual({
      valid: true,
      warnings: [],
      specification: name === 'openapi.json' ? 'OpenAPI' : 'Swagger',
    });
  });
});

describe('the address in the documents', () => {
  it('is the one that was asked', async () => {
    const [openApi, swagger] = await Promise.all(
      ['openapi.json', 'swagger.json'].map(async (name) => (await fetch(`${site.api}/${name}`)).json()),
    );

    expect(openApi).toMatchObject({ servers: [{ url: site.api }] });
    expect(swagger).toMatchObject({ host: new URL(site.url).host, schemes: ['http'], basePath: '/api' });
  });

  it('is the one that the platform saw, whatever a header claims', async () => {
    const headers = { host: 'proxy.contoso.example', 'x-forwarded-host': 'attacker.example' };

    const swagger = await getJson(`${site.api}/swagger.json`, headers);

    expect(swagger).toMatchObject({ host: 'proxy.contoso.example', schemes: ['https'] });
  });
});

describe('a client generated from openapi.json', () => {
  it('compiles, opens a session, reads an error by its type, sends the file, and attaches others in one call', async () => {
    const response = await fetch(`${site.api}/openapi.json`);
    const document = await response.text();
    const { servers }: { servers: { url: string }[] } = JSON.parse(document);
    const inFolder = (name: string) => path.join(folder, name);
    await Promise.all([
      writeFile(inFolder('openapi.json'), document),
      writeFile(inFolder('client.ts'), CLIENT),
      writeFile(inFolder('package.json'), '{"type":"module"}'),
      writeFile(inFolder('tsconfig.json'), JSON.stringify(TSCONFIG)),
      symlink(path.join(REPOSITORY_ROOT, 'node_modules'), inFolder('node_modules')),
    ]);
    await tool('openapi-typescript/bin/cli.js', inFolder('openapi.json'), '-o', inFolder('api.d.ts'));
    await tool('typescript/bin/tsc', '-p', folder);

    const { stdout } = await run(process.execPath, [
      inFolder('client.ts'),
      servers[0]?.url ?? '',
      KEY,
      ADELE.userPrincipalName,
      ADELE.items.message[0],
    ]);

    expect(JSON.parse(stdout)).toEqual({
      status: 201,
      names: ['whole.pdf', 'small.pdf'],
      session: expect.stringContaining(`${site.api}/uploadSessions/`),
      code: 'Required',
      location: expect.stringContaining("/Attachments('"),
      upload: 'completed',
      refusal: 'UploadCompleted',
    });
  });
});

const TSCONFIG = {
  extends: path.join(REPOSITORY_ROOT, 'tsconfig.json'),
  compilerOptions: { types: ['node'], typeRoots: [path.join(REPOSITORY_ROOT, 'node_modules/@types')] },
  include: ['client.ts'],
};

/** Runs a program of a development package. */
function tool(script: string, ...args: string[]) {
  return run(process.execPath, [path.join(REPOSITORY_ROOT, 'node_modules', script), ...args], { cwd: folder });
}

/** As fetch does not let anyone name another host. */
function getJson(url: string, headers: Readonly<Record<string, string>>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { headers }, async (response) => {
      const chunks: Buffer[] = await response.toArray();
      resolve(JSON.parse(Buffer.concat(chunks).toString()));
    });
    outgoing.on('error', reject).end();
  });
}
