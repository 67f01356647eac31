import { request } from 'node:http';
import { gzipSync } from 'node:zlib';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { type AttachSite, ITEMS, postBytes, startAttachSite, WAYS } from '../support/attachSite.ts';
import { expectGraphError, postJson, startSite } from '../support/site.ts';
import { fileOf, openUpload, putRange, type TestFile } from '../support/uploads.ts';

const MEBIBYTE = 1024 * 1024;
const ADDIN = 'https://addin.contoso.example';
const OTHER = 'https://other.example';
const KEY = 'no-function-key-but-a-text';
const MESSAGE = ITEMS.message;

let site: AttachSite;

beforeAll(async () => {
  site = await startAttachSite({
    settings: { UPLOAD_URL: 'proxy', CORS_ALLOWED_ORIGINS: `${ADDIN}, http://localhost:3000` },
    host: { enableAuth: true, functionKey: KEY },
  });
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

/** A site with the given body limit; everything that the callers send goes through the proxy. */
async function withLimit(limitBytes: number, run: (limited: AttachSite) => Promise<void>): Promise<void> {
  const limited = await startAttachSite({
    settings: { UPLOAD_URL: 'proxy', FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: String(limitBytes) },
  });
  try {
    await run(limited);
  } finally {
    await limited.close();
  }
}

/** Opens an upload as a holder of the key. */
function openWithKey(file: TestFile) {
  return openUpload({ api: site.api }, file, MESSAGE.path.replace('/attachments', ''), { 'x-functions-key': KEY });
}

describe('a body with a Content-Encoding at an upload', () => {
  const file = fileOf(3 * MEBIBYTE);
  let url: string;

  beforeAll(async () => {
    ({ url } = await openWithKey(file));
  });

  it.each([
    ['PUT', 'gzip', gzipSync(file.bytes.subarray(0, 1000)), { 'content-range': `bytes 0-999/${file.bytes.length}` }],
    ['PUT without a range', 'gzip', gzipSync('x'), {}],
    ['PUT with a malformed range', 'br', Buffer.from('x'), { 'content-range': 'bytes x' }],
    ['PATCH', 'deflate', Buffer.from('x'), { 'content-range': `bytes 0-0/${file.bytes.length}` }],
    ['PATCH of two codings', 'identity, gzip', Buffer.from('x'), {}],
    ['DELETE', 'gzip', Buffer.from('x'), {}],
    ['POST', 'gzip', Buffer.from('x'), {}],
    ['GET', 'gzip', undefined, {}],
  ])(
    'is 415 before anything else is looked at (%s, %s)',
    async (name, coding, body, headers: Record<string, string>) => {
      const [method = ''] = name.split(' ');

      const answer = await fetch(url, {
        method,
        headers: { 'content-encoding': coding, ...headers },
        body: body ?? null,
      });

      await expectGraphError(answer, 415, 'UnsupportedMediaType');
      expect(site.graph.requests).toEqual([]);
    },
  );

  it('is 415 in a chunked PUT, and with an unknown upload', async () => {
    const headers = { 'content-encoding': 'gzip', 'content-range': 'bytes 0-9/10' };

    const chunked = await sendWith('PUT', url, { ...headers, 'transfer-encoding': 'chunked' }, gzipSync('0123456789'));
    const unknown = await fetch(`${url.slice(0, -1)}_`, { method: 'PUT', headers, body: '0123456789' });

    expect(chunked.status).toBe(415);
    expect(unknown.status).toBe(415);
  });

  it('does no harm to the upload: the next plain PUT continues, and identity is no coding', async () => {
    const last = file.bytes.length - 1;

    const first = await putRange(url, file, 0, MEBIBYTE - 1);
    const coded = await putRange(url, file, MEBIBYTE, last, { 'content-encoding': 'gzip' });
    const second = await putRange(url, file, MEBIBYTE, last, { 'content-encoding': 'identity' });

    expect([first.status, coded.status, second.status]).toEqual([200, 415, 201]);
    expect(site.graph.attachments(ADELE.id, MESSAGE.id)).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
  });
});

describe('an answer to a browser page', () => {
  const exposed = (answer: Response) => (answer.headers.get('access-control-expose-headers') ?? '').split(', ');

  it.each([
    ['an attachment (201)', 'POST', `${MESSAGE.path}?name=a.txt`, { 'x-functions-key': KEY }, 201],
    ['an error of the app (404)', 'POST', 'v1.0/groups', { 'x-functions-key': KEY }, 404],
    ['an error of the method (405)', 'GET', MESSAGE.path, { 'x-functions-key': KEY }, 405],
    ['an unknown upload (404)', 'GET', 'uploadSessions/x', {}, 404],
    ['the health', 'GET', 'health', {}, 200],
    ['a request with a forged invocation id', 'GET', 'health', { 'x-ms-invocation-id': 'x' }, 400],
  ])(
    'names its headers, and allows the origin: %s',
    async (_, method, path, headers: Record<string, string>, status) => {
      const body = method === 'POST' ? 'text' : null;

      const answer = await fetch(`${site.api}/${path}`, { method, headers: { origin: ADDIN, ...headers }, body });

      expect(answer.status).toBe(status);
      expect(exposed(answer)).toEqual(expect.arrayContaining(['Location', 'Retry-After', 'request-id']));
      expect(answer.headers.get('access-control-allow-origin')).toBe(ADDIN);
      expect(answer.headers.get('vary')).toBe('Origin');
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    },
  );

  it('names the Location of an upload that is done, and it can be read', async () => {
    const file = fileOf(3 * MEBIBYTE);
    const { url } = await openWithKey(file);

    const answer = await putRange(url, file, 0, file.bytes.length - 1, { origin: 'http://localhost:3000' });

    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([201, 'http://localhost:3000']);
    expect(answer.headers.get('location')).toMatch(/^https:/);
    expect(exposed(answer)).toContain('Location');
  });

  it('does not allow another origin, and is the same otherwise', async () => {
    const answer = await fetch(`${site.api}/health`, { headers: { origin: OTHER } });

    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, null]);
    expect(exposed(answer)).toContain('request-id');
  });

  it('has no CORS header if the request has no Origin', async () => {
    const answer = await fetch(`${site.api}/health`);

    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
  });

  it('keeps the description of the API open to every origin', async () => {
    const answer = await fetch(`${site.api}/openapi.json`, { headers: { origin: OTHER } });

    expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, '*']);
  });
});

describe('a preflight', () => {
  const ask = (path: string, headers: Readonly<Record<string, string>>) =>
    fetch(`${site.api}/${path}`, { method: 'OPTIONS', headers });

  it.each([
    ['an item', MESSAGE.path, 'POST', 'authorization,content-type,x-functions-key'],
    ['an item with a version and a query', `v1.0/${MESSAGE.path}?name=a&size=1`, 'POST', 'idempotency-key,prefer'],
    ['an upload', `uploadSessions/${'x'.repeat(43)}`, 'PUT', 'content-range'],
    ['the opening of a session', `${MESSAGE.path}/createUploadSession`, 'POST', 'content-type'],
    ['the health for operators', 'health/ready', 'GET', 'x-functions-key'],
    ['the prefix itself', '', 'GET', 'x-functions-key'],
  ])('is answered without a key, and reaches nothing: %s', async (_, path, method, headers) => {
    const answer = await ask(path, {
      origin: ADDIN,
      'access-control-request-method': method,
      'access-control-request-headers': headers,
    });

    expect([answer.status, await answer.text()]).toEqual([204, '']);
    expect(answer.headers.get('access-control-allow-origin')).toBe(ADDIN);
    expect(answer.headers.get('access-control-allow-methods')?.split(', ')).toContain(method);
    expect(answer.headers.get('access-control-allow-headers')).toBe(headers);
    expect(answer.headers.get('access-control-max-age')).toBe('7200');
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    expect([site.graph.requests, site.events('request').filter(({ method: m }) => m === 'OPTIONS')]).toEqual([[], []]);
  });

  it.each([
    ['another origin', { origin: OTHER, 'access-control-request-method': 'POST' }],
    ['the origin null', { origin: 'null', 'access-control-request-method': 'POST' }],
    ['no origin', { 'access-control-request-method': 'POST' }],
    ['no method', { origin: ADDIN }],
  ])('is 405 with %s', async (_, headers) => {
    const answer = await ask(MESSAGE.path, headers);

    const allowed = answer.headers.get('access-control-allow-methods');
    await expectGraphError(answer, 405, 'MethodNotAllowed');
    expect(allowed).toBeNull();
  });

  it('opens nothing else: a request without the key stays 401', async () => {
    const answer = await fetch(`${site.api}/${MESSAGE.path}?name=a.txt`, {
      method: 'POST',
      headers: { origin: ADDIN },
      body: 'x',
    });

    expect(answer.status).toBe(401);
  });

  it('needs a key, as any other request, if no origin is allowed', async () => {
    const closed = await startSite({ host: { enableAuth: true, functionKey: KEY } });
    try {
      const headers = { origin: ADDIN, 'access-control-request-method': 'POST' };

      const keyless = await fetch(`${closed.api}/${MESSAGE.path}`, { method: 'OPTIONS', headers });
      const keyed = await fetch(`${closed.api}/${MESSAGE.path}`, {
        method: 'OPTIONS',
        headers: { ...headers, 'x-functions-key': KEY },
      });

      expect([keyless.status, keyed.status]).toEqual([401, 405]);
      expect(keyed.headers.get('access-control-allow-origin')).toBeNull();
    } finally {
      await closed.close();
    }
  });
});

describe('the limit of one body', () => {
  it.each([
    ['with its length', 104_857_601],
    ['chunked', 150 * MEBIBYTE],
  ] as const)(
    'lets the largest files through with the settings of this repository (%s, %d bytes)',
    async (way, bytes) => {
      const file = fileOf(bytes);

      const answer = await WAYS[way](site, MESSAGE.path, file, { 'x-functions-key': KEY });

      expect(answer.status).toBe(201);
      expect(site.graph.attachments(ADELE.id, MESSAGE.id)).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
    },
    120_000,
  );

  it('refuses a declared size above it before the first byte, and lets other ways through', async () => {
    await withLimit(4_000_000, async (limited) => {
      const address = `${limited.api}/${MESSAGE.path}?name=a.bin`;

      const declared = await sendHead(`${address}&size=4000001`);
      const message: unknown = JSON.parse(declared.body);
      const sentToGraph = limited.graph.requests.length;
      const atLimit = await postBytes(`${address}&size=3999000`, fileOf(3_999_000).bytes, {}, true);
      const inChunks = await WAYS["in a workflow's chunks"](limited, MESSAGE.path, fileOf(5_000_000));
      const fromAddress = await WAYS['from an address'](limited, MESSAGE.path, fileOf(5_000_000));
      const file = fileOf(5_000_000);
      const { url } = await openUpload(limited, file, MESSAGE.path.replace('/attachments', ''));
      const half = await putRange(url, file, 0, 2_499_999);
      const whole = await putRange(url, file, 2_500_000, 4_999_999);

      expect([declared.status, sentToGraph]).toEqual([413, 0]);
      expect(message).toMatchObject({
        error: { code: 'RequestBodyTooLarge', message: expect.stringContaining('FUNCTIONS_REQUEST_BODY_SIZE_LIMIT') },
      });
      expect([atLimit.status, inChunks.status, fromAddress.status]).toEqual([201, 200, 201]);
      expect([half.status, whole.status]).toEqual([200, 201]);
    });
  }, 60_000);

  it('refuses the opening of a chunked transfer whose chunks it would not let through', async () => {
    await withLimit(1_000_000, async (limited) => {
      const open = (sizeBytes: number) =>
        postBytes(`${limited.api}/${MESSAGE.path}?name=a.bin`, Buffer.alloc(0), {
          'x-ms-transfer-mode': 'chunked',
          'x-ms-content-length': String(sizeBytes),
        });

      const large = await open(20_000_000);
      const small = await open(1_000_000);
      const json = await postJson(`${limited.api}/${MESSAGE.path}/createUploadSession`);

      expect([large.status, small.status, json.status]).toEqual([413, 200, 201]);
      expect(large.body).toContain('FUNCTIONS_REQUEST_BODY_SIZE_LIMIT');
    });
  }, 60_000);
});

interface SentAnswer {
  readonly status: number;
  readonly body: string;
}

function sendWith(
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): Promise<SentAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false });
    outgoing.once('error', reject);
    outgoing.once('response', async (incoming) => {
      let text = '';
      for await (const chunk of incoming) text += chunk;
      resolve({ status: incoming.statusCode ?? 0, body: text });
    });
    outgoing.end(body);
  });
}

/** Sends the head of a chunked POST, and no byte of its body before it is asked for one: then it fails. */
function sendHead(url: string): Promise<SentAnswer> {
  return new Promise((resolve, reject) => {
    const headers = { 'transfer-encoding': 'chunked', expect: '100-continue' };
    const outgoing = request(url, { method: 'POST', headers, agent: false });
    outgoing.once('error', reject);
    outgoing.once('continue', () => reject(new Error('The app asked for the body.')));
    outgoing.once('response', async (incoming) => {
      let text = '';
      for await (const chunk of incoming) text += chunk;
      outgoing.destroy();
      resolve({ status: incoming.statusCode ?? 0, body: text });
    });
    outgoing.flushHeaders();
  });
}
