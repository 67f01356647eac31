import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { HostOptions } from '../../local/host/startHost.ts';
import { describeFunctions } from '../../local/host/startHost.ts';
import { type RawRequest, sendRaw, withBody } from '../support/probeApp/sendRaw.ts';
import { type Probe, startProbe } from '../support/probeApp/startProbe.ts';

// What the real Azure Functions host and its Node worker do with the same requests, as measured on host 4.1037.

const BODY_LIMIT_BYTES = 104_857_600;

/** What the probe app answers with: the request as it saw it. */
interface Echo {
  readonly functionName: string;
  readonly url: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyLength: number;
  readonly bodyHash: string;
  readonly traceParent: string;
}

async function echo(probe: Probe, request: RawRequest): Promise<Echo> {
  const { status, text } = await sendRaw(probe.url, request);
  expect({ status, text }).toEqual({ status: 200, text: expect.stringMatching(/^\{/) });
  return JSON.parse(text);
}

async function echoOf(url: string): Promise<Echo> {
  const answer = await fetch(url);
  return JSON.parse(await answer.text());
}

async function withProbe(
  env: Readonly<Record<string, string>>,
  options: Partial<HostOptions>,
  use: (probe: Probe) => Promise<void>,
): Promise<void> {
  const probe = await startProbe(env, options);
  try {
    await use(probe);
  } finally {
    await probe.close();
  }
}

/** An app whose only file is `main.cjs`. */
async function withApp(source: string, use: (appRoot: string) => Promise<void>): Promise<void> {
  const appRoot = await mkdtemp(path.join(tmpdir(), 'probe-'));
  try {
    await writeFile(path.join(appRoot, 'package.json'), '{ "main": "main.cjs" }');
    await writeFile(path.join(appRoot, 'main.cjs'), source);
    await use(appRoot);
  } finally {
    await rm(appRoot, { recursive: true });
  }
}

describe.each([
  { mode: 'buffered', isStreaming: false },
  { mode: 'streaming', isStreaming: true },
])('local host, $mode', ({ isStreaming }) => {
  const env = { PROBE_STREAM: isStreaming ? '1' : '0' };
  let probe: Probe;

  beforeAll(async () => {
    probe = await startProbe(env);
  });
  afterAll(() => probe.close());

  it.each(['PUT', 'HEAD', 'OPTIONS'])('answers a method that is not registered with 404 (%s)', async (method) => {
    const { status, headers, text } = await sendRaw(probe.url, { method, target: '/api/hello' });

    expect({ status, allow: headers.allow, server: headers['server'], text }).toEqual({
      status: 404,
      allow: undefined,
      server: 'Kestrel',
      text: '',
    });
  });

  it('answers HEAD when it is listed', async () => {
    const { status, text } = await sendRaw(probe.url, { method: 'HEAD', target: '/api/head' });

    expect({ status, text }).toEqual({ status: 200, text: '' });
  });

  it.each([
    ['/api/hello/', 'hello', {}],
    ['/API/HeLLo', 'hello', {}],
    ['/api/v1.0/version', 'version', { version: 'v1.0' }],
    ['/api/V1.0/version', 'version', { version: 'V1.0' }],
    ['/api/v1X0/version', 'version', { version: 'v1X0' }],
    ['/api/number/-12', 'number', { n: '-12' }],
    ['/api/letters/Abc/12', 'letters', { word: 'Abc', size: '12' }],
    ['/api/maybe', 'maybe', {}],
    ['/api/maybe/x', 'maybe', { id: 'x' }],
    ['/api/rest', 'rest', {}],
    ['/api/shared/one', 'onlyGet', {}],
  ])('matches %s', async (target, functionName, params) => {
    expect(await echo(probe, { target })).toMatchObject({ functionName, params });
  });

  it.each([
    '/api/v10/version',
    '/api/number/1.5',
    '/api/number/2147483648',
    '/api/letters/a1/12',
    '/api/letters/abc/1',
    '/api/letters/abc/1234',
    '/api/msg',
    '/api/msg//',
    '/api//hello',
    '/api/hello//',
    '/hello',
    '/admin/functions',
    '/runtime/webhooks',
  ])('does not match %s', async (target) => {
    const { status, text } = await sendRaw(probe.url, { target });

    expect({ status, text }).toEqual({ status: 404, text: '' });
  });

  it('falls through to a later function when the method is wrong', async () => {
    expect(await echo(probe, { method: 'PUT', target: '/api/shared/one' })).toMatchObject({
      functionName: 'zShared',
      params: { path: 'one' },
    });
  });

  // [segment as sent, parameter, segment in request.url, the same in streaming mode where it differs]
  it.each<[string, string, string, string?]>([
    ['a%2Fb', 'a%2Fb', 'a%2Fb', 'a%252Fb'],
    ['a%252Fb', 'a%2Fb', 'a%2Fb', 'a%252Fb'],
    ['..%2fetc', '..%2fetc', '..%2fetc', '..%252fetc'],
    ['AAMk%3D', 'AAMk=', 'AAMk='],
    ['a%2Bb', 'a+b', 'a+b'],
    ['a+b', 'a+b', 'a+b'],
    ['a%20b', 'a b', 'a%20b'],
    ['a%25b', 'a%b', 'a%25b'],
    ['%', '%', '%25'],
    ['a%5Cb', 'a\\b', 'a%5Cb'],
    ['a%3Fb', 'a?b', 'a%3Fb'],
    ['a%23b', 'a#b', 'a%23b'],
    ['a%0Ab', 'a\nb', 'a%0Ab'],
    ['%C3%A9', 'é', '%C3%A9'],
    ['%E2%82', '%E2%82', '%E2%82', '%25E2%2582'],
    ['%F0%9F%93%8E', '📎', '%F0%9F%93%8E'],
  ])('hands over the segment %s decoded once', async (sent, id, inUrl, inStreamedUrl = inUrl) => {
    const { params, url } = await echo(probe, { target: `/api/msg/${sent}` });

    expect({ params, url }).toEqual({
      params: { id },
      url: `${probe.url}/api/msg/${isStreaming ? inStreamedUrl : inUrl}`,
    });
  });

  it.each(['/api/msg/../hello', '/api/msg/%2e%2E/hello', '/api/./hello', '/../api/hello', '/api/msg/x/../../hello'])(
    'normalises %s before routing',
    async (target) => {
      expect(await echo(probe, { target })).toMatchObject({ functionName: 'hello', url: `${probe.url}/api/hello` });
    },
  );

  // The one row that differs from the platform, which takes the bytes as UTF-8: Node's parser is stricter.
  it('refuses an unescaped character beyond ASCII with 400', async () => {
    const { status, text } = await sendRaw(probe.url, { target: '/api/msg/é' });

    expect({ status, text }).toEqual({ status: 400, text: '' });
  });

  it('refuses a null character with 400', async () => {
    const { status, text } = await sendRaw(probe.url, { target: '/api/msg/a%00b' });

    expect({ status, text }).toEqual({ status: 400, text: '' });
  });

  it.each([
    ['a/b', 'a/b'],
    ['a//b', 'a//b'],
    ['a%2Fb/c%20d', 'a%2Fb/c d'],
  ])('hands over the catch-all %s', async (sent, rest) => {
    expect((await echo(probe, { target: `/api/rest/${sent}` })).params).toEqual({ path: rest });
  });

  it('joins a header that was sent twice and keeps both values of a query in the URL', async () => {
    const { headers, url, query } = await echo(probe, {
      target: '/api/hello?q=1&q=2',
      headers: ['X-Twice', '1', 'x-twice', '2'],
    });

    expect(headers['x-twice']).toBe('1,2');
    expect(url).toBe(`${probe.url}/api/hello?q=1&q=2`);
    expect(query).toEqual(
      isStreaming
        ? [
            ['q', '1'],
            ['q', '2'],
          ]
        : [['q', '1,2']],
    );
  });

  it('does not let the caller choose the forwarded host', async () => {
    const { url } = await echo(probe, {
      target: '/api/hello',
      headers: ['x-forwarded-host', 'elsewhere.test', 'x-forwarded-proto', 'https'],
    });

    expect(url).toBe(`${probe.url}/api/hello`);
  });

  it('keeps the trace id of the caller', async () => {
    const traceId = randomBytes(16).toString('hex');

    const { traceParent } = await echo(probe, {
      target: '/api/hello',
      headers: ['traceparent', `00-${traceId}-00f067aa0ba902b7-01`],
    });

    expect(traceParent).toMatch(new RegExp(`^00-${traceId}-(?!00f067aa0ba902b7)[0-9a-f]{16}-`));
  });

  it.each([1, 65_536, BODY_LIMIT_BYTES])('hands over a body of %i bytes as it is', async (length) => {
    const body = Buffer.alloc(length, randomBytes(1_009));

    const { bodyLength, bodyHash } = await echo(probe, withBody('/api/hello', body));

    expect({ bodyLength, bodyHash }).toEqual({
      bodyLength: length,
      bodyHash: createHash('sha256').update(body).digest('hex'),
    });
  });

  it('answers a body over the limit with 500', async () => {
    const headers = ['Content-Length', String(BODY_LIMIT_BYTES + 1)];

    const answer = await sendRaw(probe.url, { method: 'POST', target: '/api/hello', headers, isUnfinished: true });

    expect(answer).toMatchObject({ status: 500, text: '' });
  });

  it(`hands over a chunked body ${isStreaming ? 'whole' : 'empty'}`, async () => {
    const { bodyLength } = await echo(probe, withBody('/api/hello', Buffer.from('chunked'), true));

    expect(bodyLength).toBe(isStreaming ? 7 : 0);
  });

  it('relays status, body and the headers that are not about the connection', async () => {
    const { status, headers, text } = await sendRaw(probe.url, { target: '/api/headers' });

    expect({ status, text }).toEqual({ status: 201, text: 'made' });
    expect(headers).toMatchObject({ 'x-probe': 'yes', 'content-type': 'text/x-probe', server: 'Kestrel' });
    expect(headers['x-ms-invocation-id']).toEqual(isStreaming ? expect.stringMatching(/^[0-9a-f-]{36}$/) : undefined);
    expect(headers['x-listed']).toBeUndefined();
  });

  it('runs the hooks in order and lets them swap inputs, handler and result', async () => {
    const { headers, text } = await sendRaw(probe.url, { target: '/api/hooked' });

    expect(headers['x-post-hook']).toBe('first,second');
    expect(JSON.parse(text)).toEqual({
      input: 'swapped input',
      body: 'the handler',
      path: '/api/hooked',
      order: ['first', 'second'],
    });
  });

  it('repairs a thrown error and a missing result in a postInvocation hook', async () => {
    await withProbe({ ...env, PROBE_REPAIR: '1' }, {}, async (repaired) => {
      const thrown = await sendRaw(repaired.url, { target: '/api/throws' });
      const nothing = await sendRaw(repaired.url, { target: '/api/nothing' });

      expect(thrown).toMatchObject({ status: 500, text: '{"repaired":true}' });
      expect(nothing).toMatchObject({ status: 204, text: '' });
      expect(await repaired.findLine('repaired: thrown by the probe')).toMatchObject({ category: 'user' });
    });
  });

  it('passes log lines on with level, category and invocation id, as the log hook leaves them', async () => {
    await sendRaw(probe.url, { target: '/api/logs' });

    expect(await probe.findLine("a warning { of: 'two parts' }")).toMatchObject({
      level: 'warning',
      category: 'user',
      invocationId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(await probe.findLine('***')).toMatchObject({ level: 'debug', category: 'user' });
    expect(await probe.findLine('to stdout')).toMatchObject({ category: 'stdout' });
    expect(await probe.findLine('to stderr')).toMatchObject({ category: 'stderr' });
    expect(probe.lines.filter(({ message }) => message.includes('secret word'))).toEqual([]);
  });

  it('refuses a function that is registered after the start', async () => {
    const { text } = await sendRaw(probe.url, { target: '/api/late' });

    expect(text).toBe('A function can only be registered during app startup.');
  });

  it('answers pending calls with 500 when the worker ends, reports it once and starts another', async () => {
    await withProbe(env, {}, async (crashing) => {
      const pending = sendRaw(crashing.url, { target: '/api/slow' });
      await crashing.findLine('slow is called');

      const [slow, crash] = await Promise.all([pending, sendRaw(crashing.url, { target: '/api/crash' })]);
      const later = await sendRaw(crashing.url, { target: '/api/hello' });

      expect([slow, crash].map(({ status, text }) => [status, text])).toEqual([
        [500, ''],
        [500, ''],
      ]);
      expect(later.status).toBe(200);
      expect(crashing.countLines('exit code 3')).toBe(1);
    });
  });

  it('serves many requests at once over kept connections', async () => {
    const answers = await Promise.all(
      Array.from({ length: 256 }, (_, index) => echoOf(`${probe.url}/api/msg/${index}`)),
    );

    expect(answers.map(({ params }) => params['id'])).toEqual(answers.map((_, index) => String(index)));
  });

  it('lets a call under way end before it closes, and runs the appTerminate hook', async () => {
    const closing = await startProbe(env);
    const pending = sendRaw(closing.url, { target: '/api/slow' });
    await closing.findLine('slow is called');

    await closing.close();

    expect(await pending).toMatchObject({ status: 200, text: 'slow' });
    expect(closing.lines.map(({ message }) => message)).toEqual(
      expect.arrayContaining(['appStart hook ran', 'slow is done', 'appTerminate hook ran']),
    );
    expect(() => process.kill(closing.workerPid, 0)).toThrow('ESRCH');
  });
});

describe('local host, buffered only', () => {
  it('answers 500 when the handler throws and 204 when it returns nothing', async () => {
    await withProbe({}, {}, async (probe) => {
      const thrown = await sendRaw(probe.url, { target: '/api/throws' });
      const nothing = await sendRaw(probe.url, { target: '/api/nothing' });

      expect(thrown).toMatchObject({ status: 500, text: '' });
      expect(nothing).toMatchObject({ status: 204, text: '' });
      expect(await probe.findLine('thrown by the probe')).toMatchObject({ level: 'error', category: 'host' });
    });
  });
});

describe('local host, streaming only', () => {
  let probe: Probe;

  beforeAll(async () => {
    probe = await startProbe({ PROBE_STREAM: '1' });
  });
  afterAll(() => probe.close());

  it.each(['throws', 'nothing'])('leaves the answer open when the handler %s', async (name) => {
    const signal = AbortSignal.timeout(500);

    await expect(sendRaw(probe.url, { target: `/api/${name}` }, signal)).rejects.toThrow('aborted');
  });

  it('relays the first part of an answer before the last one is made', async () => {
    const answer = await fetch(`${probe.url}/api/ticks`);
    const arrivals: number[] = [];
    for await (const _ of answer.body ?? []) {
      arrivals.push(performance.now());
    }

    expect((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)).toBeGreaterThan(200);
  });

  it('breaks the request off for the app when the client disconnects', async () => {
    const request = { ...withBody('/api/reader', Buffer.alloc(1_000), true), isUnfinished: true };

    const caller = new AbortController();
    const sent = expect(sendRaw(probe.url, request, caller.signal)).rejects.toThrow('aborted');
    await probe.findLine('reader is called');
    caller.abort();
    await sent;

    expect(await probe.findLine('the body broke off')).toMatchObject({ level: 'warning' });
  });
});

describe('local host, order of functions', () => {
  it('gives everything to a catch-all whose name comes first, the locked function included', async () => {
    await withProbe({ PROBE_CATCH_ALL: 'all' }, { enableAuth: true }, async (probe) => {
      for (const target of ['/api/hello', '/api/msg/1', '/api/locked']) {
        expect(await echo(probe, { target })).toMatchObject({ functionName: 'all' });
      }
    });
  });

  it('gives a catch-all whose name comes last what is left over, a wrong method included', async () => {
    await withProbe({ PROBE_CATCH_ALL: 'zzall' }, {}, async (probe) => {
      const left = [{ target: '/api/unknown/path' }, { method: 'POST', target: '/api/locked' }, { target: '/api' }];

      expect(await echo(probe, { target: '/api/hello' })).toMatchObject({ functionName: 'hello' });
      expect(await echo(probe, { target: '/api/locked' })).toMatchObject({ functionName: 'locked' });
      for (const request of left) {
        expect(await echo(probe, request)).toMatchObject({ functionName: 'zzall' });
      }
    });
  });

  it('gives `/` to a catch-all without prefix, but keeps what is the host’s', async () => {
    const appRoot = path.resolve('test/support/probeApp/noPrefix');
    await withProbe({ PROBE_CATCH_ALL: 'zzall' }, { appRoot }, async (probe) => {
      const admin = await sendRaw(probe.url, { target: '/Admin/functions' });

      expect(await echo(probe, { target: '/' })).toMatchObject({ functionName: 'zzall' });
      expect(await echo(probe, { target: '/hello' })).toMatchObject({ functionName: 'hello' });
      expect(admin).toMatchObject({ status: 404, text: '' });
    });
  });
});

describe('local host, keys', () => {
  const functionKey = randomBytes(16).toString('hex');
  let probe: Probe;

  beforeAll(async () => {
    probe = await startProbe({}, { enableAuth: true, functionKey });
  });
  afterAll(() => probe.close());

  it.each<[string, number, RawRequest]>([
    ['no key', 401, { target: '/api/locked' }],
    ['a wrong key', 401, { target: '/api/locked', headers: ['x-functions-key', 'wrong'] }],
    ['the key in the header', 200, { target: '/api/locked', headers: ['x-functions-key', functionKey] }],
    ['the key in the query', 200, { target: `/api/locked?code=${functionKey}` }],
    [
      'a wrong header before the right query',
      401,
      { target: `/api/locked?code=${functionKey}`, headers: ['x-functions-key', 'x'] },
    ],
    ['a wrong method, routing being first', 404, { method: 'POST', target: '/api/locked' }],
    ['no key for an anonymous function', 200, { target: '/api/hello' }],
  ])('answers %s with %i', async (_, status, request) => {
    const answer = await sendRaw(probe.url, request);

    expect(answer.status).toBe(status);
    expect(status === 200 ? '' : answer.text).toBe('');
  });

  it('demands no key unless set so', async () => {
    await withProbe({}, {}, async (open) => {
      expect(await echo(open, { target: '/api/locked' })).toMatchObject({ functionName: 'locked' });
    });
  });

  it('lets nobody in when there is no key', async () => {
    await withProbe({}, { enableAuth: true }, async (keyless) => {
      expect(await sendRaw(keyless.url, { target: '/api/locked?code=' })).toMatchObject({ status: 401, text: '' });
    });
  });
});

describe('local host, start', () => {
  it('shows a home page, or 204 when it is disabled', async () => {
    await withProbe({}, {}, async (probe) => {
      expect(await sendRaw(probe.url, { target: '/' })).toMatchObject({ status: 200 });
    });
    await withProbe({ AzureWebJobsDisableHomepage: 'true' }, {}, async (probe) => {
      expect(await sendRaw(probe.url, { target: '/' })).toMatchObject({ status: 204, text: '' });
    });
  });

  it('takes settings from the file only where the process has none, and `env` before both', async () => {
    process.env['PROBE_FROM_PROCESS'] = 'process';
    try {
      await withProbe({ PROBE_FROM_OPTION: 'option' }, {}, async (probe) => {
        const { text } = await sendRaw(probe.url, { target: '/api/settings' });

        expect(JSON.parse(text)).toEqual({
          PROBE_FROM_FILE: 'file',
          PROBE_FROM_OPTION: 'option',
          PROBE_FROM_PROCESS: 'process',
          PROBE_NUMBER: '7',
          AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
          WEBSITE_HOSTNAME: `localhost:${new URL(probe.url).port}`,
        });
      });
    } finally {
      delete process.env['PROBE_FROM_PROCESS'];
    }
  });

  it.each([
    ['throws while it loads', "throw new Error('broken app')", 'broken app'],
    ['ends the process', 'process.exit(9)', 'exit code 9'],
    ['is empty', '', undefined],
  ])('starts without functions when the app %s', async (_, source, fault) => {
    await withApp(source, async (appRoot) => {
      await withProbe({}, { appRoot }, async (probe) => {
        expect(probe.functions).toEqual([]);
        expect(await sendRaw(probe.url, { target: '/api/hello' })).toMatchObject({ status: 404, text: '' });
        expect(probe.lines.some(({ message }) => message.includes('The app could not be loaded'))).toBe(
          fault !== undefined,
        );
        expect(probe.lines.map(({ message }) => message).join('\n')).toContain(fault ?? '');
      });
    });
  });

  it('starts without functions when `main` matches no file', async () => {
    await withApp('', async (appRoot) => {
      await rm(path.join(appRoot, 'main.cjs'));
      await withProbe({}, { appRoot }, async (probe) => {
        expect(await probe.findLine('Found zero files')).toMatchObject({ level: 'error', category: 'host' });
      });
    });
  });

  it('rejects when the port is taken', async () => {
    await withProbe({}, {}, async (probe) => {
      await expect(startProbe({}, { port: Number(new URL(probe.url).port) })).rejects.toThrow('EADDRINUSE');
    });
  });

  it('rejects when there is no such app', async () => {
    await expect(startProbe({}, { appRoot: path.join(tmpdir(), 'no-such-app') })).rejects.toThrow('ENOENT');
  });

  it('lists the functions as func start does, in the order of their names', async () => {
    await withProbe({}, {}, async (probe) => {
      const lines = describeFunctions(probe).split('\n').filter(Boolean);
      const base = `http://localhost:${new URL(probe.url).port}/api`;

      expect(lines[0]).toBe('Functions:');
      expect(lines).toContain(`\thello: [GET,POST] ${base}/hello`);
      expect(lines).toContain(`\tonlyGet: [GET] ${base}/shared/one`);
      expect(lines.slice(1)).toEqual(lines.slice(1).toSorted((one, other) => one.localeCompare(other, 'en')));
      expect(await probe.findLine('timer: only HTTP and queue triggers')).toMatchObject({ level: 'warning' });
    });
  });
});
