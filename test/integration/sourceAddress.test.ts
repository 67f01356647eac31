import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import tls from 'node:tls';
import { createCertificate, type EmulatorCertificate } from '../../local/emulators/common/certificate.ts';
import { ServiceError } from '../../shared/errors.ts';
import { compileSources, type SourceRule } from '../../shared/sources/sourceRules.ts';
import { openUrl, type UrlSource, type UrlSourceOptions } from '../../shared/sources/urlSource.ts';
import { type SourceFault, type SourceFile, type SourceServer, startSourceServer } from '../support/sourceServer.ts';

const FILE = randomBytes(3_000_000);
const PATH = '/invoices/2026/a.pdf';

let certificate: EmulatorCertificate;
let server: SourceServer;
let rule: SourceRule;

beforeAll(async () => {
  certificate = await createCertificate();
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), certificate.ca]);
  server = await startSourceServer(certificate);
  rule = ruleOf(`${server.origin}/invoices/`);
});

afterAll(async () => {
  await server.close();
});

function ruleOf(pattern: string): SourceRule {
  const [compiled] = compileSources([pattern], '/callers/0/sources');
  if (compiled === undefined) throw new Error(`No pattern: ${pattern}`);
  return compiled;
}

const never = new AbortController().signal;

const OPTIONS: UrlSourceOptions = {
  isDevelopment: true,
  checkSize: () => {},
  times: { answerMs: 2000, silenceMs: 200, retryDelay: (retryAfter) => Number(retryAfter ?? 0) * 1000 },
};

function open(options: Partial<UrlSourceOptions> = {}, signal = never): Promise<UrlSource> {
  return openUrl(new URL(`${server.origin}${PATH}?sig=secret`), rule, { ...OPTIONS, ...options }, signal);
}

function hold(faults: readonly SourceFault[], file: Partial<SourceFile> = {}): void {
  server.put(PATH, { bytes: FILE, faults, ...file });
}

/** Reads to the end and checks that all bytes are those that were said. */
async function readAll(source: UrlSource, expected: Buffer = FILE, signal = never): Promise<void> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for (let chunk = await source.read(signal); chunk !== undefined; chunk = await source.read(signal)) {
      expect(chunk.length).toBeGreaterThan(0);
      hash.update(chunk);
      bytes += chunk.length;
    }
  } finally {
    source.close();
  }
  expect([bytes, hash.digest('hex')]).toEqual([source.sizeBytes, createHash('sha256').update(expected).digest('hex')]);
  expect(await source.read(signal)).toBeUndefined();
}

/** The error of opening or of reading, and how many bytes came before it. */
async function failureOf(options: Partial<UrlSourceOptions> = {}): Promise<{ error: ServiceError; bytes: number }> {
  let bytes = 0;
  try {
    const source = await open(options);
    for (let chunk = await source.read(never); chunk !== undefined; chunk = await source.read(never)) {
      bytes += chunk.length;
    }
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    expect(`${error.message} ${String(error.cause)}`).not.toContain('secret');
    return { error, bytes };
  }
  throw new Error('Nothing failed.');
}

function requestsOf(count: number) {
  return server.requests.slice(-count).map(({ headers }) => [headers.range, headers['if-range']]);
}

describe('openUrl', () => {
  it('reads a file byte for byte, with what the source says of it', async () => {
    hold([], { contentType: 'application/pdf' });

    const source = await open();

    expect(source).toMatchObject({
      sizeBytes: 3_000_000,
      totalBytes: 3_000_000,
      etag: '"1"',
      contentType: 'application/pdf',
    });
    await readAll(source);
  });

  it('sends the query, and neither credentials nor cookies', async () => {
    hold([]);
    await readAll(await open());

    const { path, headers } = server.requests.at(-1) ?? { headers: {} };
    expect(path).toBe(`${PATH}?sig=secret`);
    expect(Object.keys(headers).sort()).toEqual([
      'accept',
      'accept-encoding',
      'connection',
      'host',
      'range',
      'user-agent',
    ]);
  });

  it.each<[string, SourceFault[]]>([
    ['without bytes', []],
    ['without bytes, whose range is refused', [{ kind: 'refusesEmptyRange' }]],
    ['without bytes, whose range is not known', [{ kind: 'noRanges' }]],
  ])('reads a file %s', async (_, faults) => {
    hold(faults, { bytes: Buffer.alloc(0) });

    await readAll(await open(), Buffer.alloc(0));
  });

  it.each<[string, SourceFault[], number]>([
    ['breaks off', [{ kind: 'breaksOff', afterBytes: 700_000 }], 5],
    ['breaks off before the first byte', [{ kind: 'breaksOff', afterBytes: 0, times: 2 }], 3],
    ['ends too early', [{ kind: 'endsEarly', afterBytes: 1_000_000, times: 2 }], 3],
    ['falls silent', [{ kind: 'fallsSilent', afterBytes: 2_000_000, times: 1 }], 2],
    ['sends a part at a time', [{ kind: 'sendsParts', partBytes: 1_000_000 }], 3],
    ['fails at first', [{ kind: 'status', status: 503, times: 2 }], 3],
    ['asks for patience', [{ kind: 'status', status: 429, headers: { 'retry-after': '1' }, times: 1 }], 2],
    ['does not know If-Range', [{ kind: 'noIfRange' }, { kind: 'breaksOff', afterBytes: 1_500_000, times: 1 }], 2],
    ['does not know Range, while it holds', [{ kind: 'noRanges' }], 1],
    ['gives no ETag, while it holds', [{ kind: 'noETag' }], 1],
    ['is slow', [{ kind: 'isSlow', pieceBytes: 500_000, pauseMs: 20 }], 1],
  ])('reads on where the source %s', async (_, faults, requests) => {
    hold(faults);
    const before = server.requests.length;

    await readAll(await open());

    expect(server.requests.length - before).toBe(requests);
  });

  it('continues at the byte, and only of the same file', async () => {
    hold([{ kind: 'breaksOff', afterBytes: 1_000_000, times: 1 }]);

    await readAll(await open());

    expect(requestsOf(2)).toEqual([
      ['bytes=0-', undefined],
      ['bytes=1000000-', '"1"'],
    ]);
  });

  it.each<[string, SourceFault[], string, number, RegExp]>([
    ['404', [{ kind: 'status', status: 404 }], 'SourceRefused', 424, /answered 404/],
    ['403', [{ kind: 'status', status: 403 }], 'SourceRefused', 424, /answered 403/],
    [
      'a redirect',
      [{ kind: 'status', status: 302, headers: { location: 'https://localhost/elsewhere' } }],
      'SourceRefused',
      424,
      /a redirect \(302\), which is not followed/,
    ],
    ['204', [{ kind: 'status', status: 204 }], 'SourceUnusable', 424, /answered 204/],
    ['416', [{ kind: 'status', status: 416 }], 'SourceUnusable', 424, /refuses the range/],
    ['no length', [{ kind: 'noLength' }], 'SourceUnusable', 424, /does not say how long/],
    ['500 for ever', [{ kind: 'status', status: 500 }], 'SourceUnavailable', 502, /failed 4 times in a row/],
    [
      'a long wait',
      [{ kind: 'status', status: 503, headers: { 'retry-after': '3600' } }],
      'SourceUnavailable',
      502,
      /to wait 3600 seconds; the proxy waits at most 20/,
    ],
  ])('says so of %s, before anything is read', async (_, faults, code, status, message) => {
    hold(faults);

    const { error, bytes } = await failureOf();

    expect([error.code, error.status, bytes]).toEqual([code, status, 0]);
    expect(error.message).toMatch(message);
  });

  it.each<[string, SourceFault[], string, RegExp]>([
    ['changes', [{ kind: 'changes', sizeBytes: 3_000_000 }], 'SourceChanged', /changed/],
    [
      'changes and does not know If-Range',
      [{ kind: 'changes', sizeBytes: 3_000_000 }, { kind: 'noIfRange' }],
      'SourceChanged',
      /changed/,
    ],
    ['becomes shorter', [{ kind: 'changes', sizeBytes: 10 }, { kind: 'noIfRange' }], 'SourceChanged', /changed/],
    ['does not know Range', [{ kind: 'noRanges' }], 'SourceUnusable', /does not go on in the middle/],
    ['gives no ETag', [{ kind: 'noETag' }], 'SourceUnusable', /no strong ETag/],
  ])('gives up a source that breaks off and %s', async (_, faults, code, message) => {
    hold([...faults, { kind: 'breaksOff', afterBytes: 1_000_000, times: 1 }]);

    const { error, bytes } = await failureOf();

    expect([error.code, error.status, bytes]).toEqual([code, 424, 1_000_000]);
    expect(error.message).toMatch(message);
  });

  it('gives up a source that never ends, at the byte', async () => {
    hold([{ kind: 'isEndless' }]);

    const { error, bytes } = await failureOf();

    expect([error.code, bytes <= 3_000_000]).toEqual(['SourceUnusable', true]);
    expect(error.message).toMatch(/more bytes than it says/);
  });

  it.each<[string, SourceFault]>([
    ['breaks off at every byte', { kind: 'breaksOff', afterBytes: 1 }],
    ['sends a byte at a time', { kind: 'sendsParts', partBytes: 1 }],
  ])('gives up a source that %s', async (_, fault) => {
    hold([fault]);

    const { error } = await failureOf();

    expect(error).toMatchObject({
      code: 'SourceUnavailable',
      message: expect.stringContaining('in more than 64 parts'),
    });
  });

  it('gives up a source that is silent after its head, again and again', async () => {
    hold([{ kind: 'fallsSilent', afterBytes: 0 }]);

    expect((await failureOf()).error.code).toBe('SourceUnavailable');
  });

  it('gives up a host that never answers, and one that cannot be found', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const times = { answerMs: 50, silenceMs: 50, retryDelay: () => 0 };
    const at = (origin: string, options: Partial<UrlSourceOptions>) =>
      openUrl(new URL(origin), ruleOf(origin), { ...OPTIONS, ...options }, never);

    await expect(at(`https://localhost:${port}`, { times })).rejects.toMatchObject({ code: 'SourceUnavailable' });
    await expect(
      at('https://nowhere.example', { resolve: () => Promise.reject(new Error('ENOTFOUND')) }),
    ).rejects.toMatchObject({ code: 'SourceUnavailable' });
    await expect(at('https://nowhere.example', { resolve: async () => [] })).rejects.toMatchObject({
      code: 'SourceUnavailable',
    });
    silent.close();
  });

  it('refuses a file that is sent encoded, and says how', async () => {
    hold([], { contentEncoding: 'gzip' });

    expect((await failureOf()).error).toMatchObject({
      code: 'SourceUnusable',
      message: expect.stringMatching(/Content-Encoding: gzip/),
    });
  });

  it.each<[string, Partial<UrlSourceOptions>]>([
    ['utf-8', {}],
    ['', {}],
    ['gzip', { declared: { name: 'backup.tar.gz' } }],
    ['gzip', { declared: { name: 'backup', contentType: 'application/gzip' } }],
  ])(
    'reads the stored bytes of a file with Content-Encoding: %s where %j, also after a break',
    async (coding, options) => {
      hold([{ kind: 'breaksOff', afterBytes: 700_000, times: 1 }], { contentEncoding: coding });

      await readAll(await open(options));
    },
  );

  it('refuses an archive without a length', async () => {
    hold([{ kind: 'noLength' }], { contentEncoding: 'gzip' });

    const { error } = await failureOf({ declared: { name: 'backup.tar.gz' } });

    expect(error).toMatchObject({ code: 'SourceUnusable', message: expect.stringMatching(/how long the file is/) });
  });

  it('refuses what checkSize refuses, before anything is read', async () => {
    hold([]);
    const checkSize = (totalBytes: number) => {
      throw new ServiceError('CallerNotAllowed', `Too much: ${totalBytes}`);
    };

    await expect(open({ checkSize })).rejects.toMatchObject({ message: 'Too much: 3000000' });
  });

  it('refuses what its rule does not admit', async () => {
    const before = server.requests.length;

    await expect(openUrl(new URL(`${server.origin}/secret`), rule, OPTIONS, never)).rejects.toMatchObject({
      code: 'SourceNotAllowed',
      status: 403,
    });
    expect(server.requests.length).toBe(before);
  });

  it('refuses loopback outside development, and a port that the policy does not name', async () => {
    hold([]);
    const before = server.requests.length;

    expect((await failureOf({ isDevelopment: false })).error.code).toBe('SourceNotAllowed');
    await expect(
      openUrl(new URL(`${server.origin}${PATH}`), { ...rule, isPortNamed: false }, OPTIONS, never),
    ).rejects.toMatchObject({ code: 'SourceNotAllowed' });
    expect(server.requests.length).toBe(before);
  });

  it('continues in a later process', async () => {
    hold([]);
    const { etag = '', totalBytes, close } = await open();
    close();

    const source = await open({ resumeAt: { offset: 2_000_000, totalBytes, etag } });

    expect(source).toMatchObject({ sizeBytes: 1_000_000, totalBytes: 3_000_000 });
    expect(requestsOf(1)).toEqual([['bytes=2000000-', '"1"']]);
    await readAll(source, FILE.subarray(2_000_000));
  });

  it('has nothing to ask for where all was read before', async () => {
    const before = server.requests.length;

    const source = await open({ resumeAt: { offset: 3_000_000, totalBytes: 3_000_000, etag: '"1"' } });

    await readAll(source, Buffer.alloc(0));
    expect(server.requests.length).toBe(before);
  });

  it.each([
    { offset: 2_000_000, totalBytes: 3_000_000, etag: '"0"' },
    { offset: 0, totalBytes: 3_000_000, etag: '"0"' },
    { offset: 2_000_000, totalBytes: 2_500_000, etag: '"1"' },
    { offset: 4_000_000, totalBytes: 5_000_000, etag: '"1"' },
  ])('does not continue with another file: %j', async (resumeAt) => {
    hold([]);

    await expect(open({ resumeAt })).rejects.toMatchObject({ code: 'SourceChanged' });
  });

  it('ends with the reason of the signal, wherever it is', async () => {
    const reason = new ServiceError('CallerDisconnected', 'gone');
    hold([{ kind: 'isSlow', pieceBytes: 100_000, pauseMs: 50 }]);
    const source = await open();
    await source.read(never);
    const reading = new AbortController();
    const pending = readAll(source, FILE, reading.signal);
    reading.abort(reason);
    await expect(pending).rejects.toBe(reason);

    hold([{ kind: 'status', status: 503, headers: { 'retry-after': '10' } }]);
    const waiting = new AbortController();
    const opening = open({}, waiting.signal);
    setTimeout(() => waiting.abort(reason), 100);
    await expect(opening).rejects.toBe(reason);
    await expect(open({}, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('demands a certificate for the host', async () => {
    const resolve = async () => [{ address: '127.0.0.1', family: 4 }];
    const origin = server.origin.replace('localhost', 'files.contoso.example');
    const source = openUrl(new URL(origin), ruleOf(origin), { ...OPTIONS, resolve }, never);

    await expect(source).rejects.toMatchObject({
      code: 'SourceUnavailable',
      cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    });
  });
});
