import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type HostTimes, PLATFORM_TIMES } from '../../local/host/hostTimes.ts';
import { headOf, openConnection } from '../support/probeApp/rawConnection.ts';
import { type RawAnswer, type RawRequest, sendRaw, withBody } from '../support/probeApp/sendRaw.ts';
import { type Probe, startProbe } from '../support/probeApp/startProbe.ts';
import { until } from '../support/until.ts';

// Bodies, early answers, heads and disconnects in streaming mode, row by row as measured on host 4.1037 with Node worker
// 3.9.1 and @azure/functions 4.16.5. Waits are shortened; the test named for them keeps the platform's.

const TIMES: Partial<HostTimes> = {
  bodyGraceMs: 500,
  retryDelaysMs: [5, 10, 20, 25, 25, 25, 25, 25, 25],
  inactivityMs: 700,
  continueWaitMs: 300,
  timeoutGraceMs: 200,
  restartWaitMs: 300,
  closeGraceMs: 100,
};

/** What the handler `raw` answers: the request as the library shows it, and as the worker's server got it. */
interface Seen {
  readonly method: string;
  readonly params: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly raw: Readonly<Record<string, string>>;
  readonly bodyLength: number;
}

let probe: Probe;

beforeAll(async () => {
  probe = await startProbe({ PROBE_STREAM: '1' }, { times: TIMES });
});
afterAll(() => probe.close());

async function withProbe(
  env: Readonly<Record<string, string>>,
  times: Partial<HostTimes>,
  use: (probe: Probe) => Promise<void>,
): Promise<void> {
  const own = await startProbe({ PROBE_STREAM: '1', ...env }, { times });
  try {
    await use(own);
  } finally {
    await own.close();
  }
}

async function see(request: RawRequest): Promise<Seen> {
  const { status, text } = await sendRaw(probe.url, request);
  expect(status).toBe(200);
  return JSON.parse(text);
}

function withText(target: string, text: string, isChunked = false): RawRequest {
  const request = withBody(target, Buffer.from(text), isChunked);
  return { ...request, headers: [...(request.headers ?? []), 'Content-Type', 'text/plain', 'X-True', 'yes'] };
}

const EMPTY_500 = { status: 500, text: '' };

/** Where the host does not wait, it does not wait for this long; a busy machine takes less. */
const LONG_MS = 60_000;

/** Sends a request and leaves when its handler is called. */
async function leave(from: Probe, name: string, request: RawRequest): Promise<void> {
  const line = `${name} is called`;
  const before = from.countLines(line);
  const caller = new AbortController();
  const sent = expect(sendRaw(from.url, request, caller.signal)).rejects.toThrow('aborted');
  await isCalled(from, line, before);
  caller.abort();
  await sent;
}

async function isCalled(own: Probe, line: string, before: number): Promise<void> {
  await until(`another log line "${line}"`, () => own.countLines(line) > before);
}

/** Leaves a request open for a while and says whether anything came back. */
async function isSilent(url: string, request: RawRequest, forMs: number): Promise<boolean> {
  const signal = AbortSignal.timeout(forMs);
  return sendRaw(url, request, signal).then(
    () => false,
    () => signal.aborted,
  );
}

describe('the head that a request shows', () => {
  it('is the body’s where a body with Content-Length has a member Headers, whatever its type', async () => {
    const { headers, raw } = await see(withText('/api/raw', '{"Headers":{"x-forged":"1"}}'));

    expect(headers).toEqual({ 'x-forged': '1' });
    expect(raw).toMatchObject({ 'x-true': 'yes', 'content-type': 'text/plain' });
  });

  it.each([
    ['a body that names headers in lower case', withText('/api/raw', '{"headers":{"x-forged":"1"}}')],
    ['a body whose Headers are a text', withText('/api/raw', '{"Headers":"x"}')],
    ['a query that names headers', { target: '/api/raw?headers=x' }],
    ['a query that names Headers', { target: '/api/raw?Headers=x' }],
  ])('has no headers at all with %s', async (_, request) => {
    expect((await see(request)).headers).toEqual({});
  });

  it('is the query’s where the query holds JSON', async () => {
    const target = `/api/raw?Headers=${encodeURIComponent('{"x-forged":"1"}')}`;

    expect((await see({ target })).headers).toEqual({ 'x-forged': '1' });
  });

  it('is its own when the body is chunked, no JSON object, or nested deeper than 64', async () => {
    const chunked = await see(withText('/api/raw', '{"Headers":{"x-forged":"1"}}', true));
    const listed = await see(withText('/api/raw', '[{"Headers":{"x-forged":"1"}}]'));
    const deep = `${'['.repeat(64)}${']'.repeat(64)}`;
    const tooDeep = await see(withText('/api/raw', `{"Headers":{"x-forged":"1"},"deep":${deep}}`));

    for (const { headers } of [chunked, listed, tooDeep]) {
      expect(headers).toMatchObject({ 'x-true': 'yes' });
      expect(headers).not.toHaveProperty('x-forged');
    }
  });

  it('is its own when the app does not stream', async () => {
    await withProbe({ PROBE_STREAM: '0' }, {}, async (buffered) => {
      const { text } = await sendRaw(buffered.url, withText('/api/hello?headers=x', '{"Headers":{"x-forged":"1"}}'));

      expect(JSON.parse(text).headers).toMatchObject({ 'x-true': 'yes' });
    });
  });

  it('mixes scalar members and the query into the parameters', async () => {
    const body = '{"foo":"a","num":3,"yes":true,"none":null,"list":[1],"object":{"a":1}}';

    expect((await see(withText('/api/raw?q=1&q=2&code=key&sys=s', body))).params).toEqual({
      foo: 'a',
      num: '3',
      yes: 'True',
      q: '2',
      sys: 's',
    });
    expect((await see(withText('/api/raw', body, true))).params).toEqual({});
  });

  it('takes a member of many megabytes for what it is', async () => {
    const long = 'a'.repeat(30 * 1_048_576);

    const { params } = await see(withText('/api/raw', JSON.stringify({ long })));

    expect(params['long'] === long).toBe(true);
  });

  it('lets a declared route parameter win, and leaves an absent one undefined', async () => {
    const body = Buffer.from('{"ID":"forged"}');
    const given = await sendRaw(probe.url, withBody('/api/msg/true?id=query', body));
    const absent = await sendRaw(probe.url, withBody('/api/maybe?id=query', body));

    expect(Object.values(JSON.parse(given.text).params)).toEqual(['true']);
    expect(JSON.parse(absent.text).params).toEqual({});
  });

  it('keeps the caller’s forwarding headers; the worker’s server gets the host’s', async () => {
    const own = ['X-Forwarded-For', '9.9.9.9', 'X-Forwarded-Host', 'else.test', 'X-Forwarded-Proto', 'https'];

    const { headers, raw } = await see({ target: '/api/raw', headers: [...own, 'TE', 'trailers'] });

    expect(headers).toMatchObject({
      'x-forwarded-for': '9.9.9.9',
      'x-forwarded-host': 'else.test',
      'x-forwarded-proto': 'https',
    });
    expect(raw).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-host': new URL(probe.url).host,
      'x-forwarded-proto': 'http',
    });
    expect(raw).not.toHaveProperty('te');
  });

  it('joins duplicates, with a blank only for the worker’s server', async () => {
    const { headers, raw } = await see({ target: '/api/raw', headers: ['X-Twice', 'one', 'x-twice', 'two'] });

    expect([headers['x-twice'], raw['x-twice']]).toEqual(['one,two', 'one, two']);
  });

  it.each(['PUT', 'PATCH', 'DELETE'])('passes the headers of an upload through unchanged (%s)', async (method) => {
    const sent = {
      'content-range': 'bytes */10',
      range: 'bytes=0-1',
      'if-match': '"a"',
      'content-disposition': "attachment; filename*=UTF-8''%C3%A4.txt",
      'idempotency-key': 'k',
      prefer: 'respond-async',
      authorization: 'Bearer x',
      cookie: 'a=b; c=d',
      'x-empty': '',
    };
    for (const isChunked of [true, false]) {
      const request = withBody('/api/raw', Buffer.from('0123456789'), isChunked);
      const headers = [...(request.headers ?? []), ...Object.entries(sent).flat()];

      const seen = await see({ ...request, method, headers });

      expect(seen).toMatchObject({ method, bodyLength: 10, headers: sent, raw: sent });
    }
  });

  it('is refused with 400 at once when a header is not UTF-8', async () => {
    const answer = await sendRaw(probe.url, { target: '/api/raw', headers: ['X-Name', '\xe4'] });

    expect(answer).toMatchObject({ status: 400, text: '' });
    expect(answer.headers.connection).toBe('close');
  });
});

describe('a request whose invocation nobody ends', () => {
  const hanging: readonly (readonly [string, RawRequest])[] = [
    ['its own invocation id', { target: '/api/raw', headers: ['x-ms-invocation-id', 'zzz'] }],
    ['UTF-8 in a header', { target: '/api/raw', headers: ['X-Name', Buffer.from('ä').toString('latin1')] }],
  ];

  it.each(hanging)('hangs with %s; its handler is not called', async (_, request) => {
    await withProbe({}, TIMES, async (own) => {
      expect(await isSilent(own.url, request, 1_000)).toBe(true);
      expect(own.countLines('raw is called')).toBe(0);
      expect(own.countLines("Executed 'Functions.raw'")).toBe(0);
    });
  });

  it.each(hanging)('takes the worker down when its time is over (%s)', async (_, request) => {
    await withProbe({ AzureFunctionsJobHost__functionTimeout: '00:00:01' }, TIMES, async (own) => {
      const pid = own.workerPid;
      const started = performance.now();
      const hangs = sendRaw(own.url, request);
      await delay(600);
      const innocent = sendRaw(own.url, { target: `/api/waits?ms=${LONG_MS}` });

      expect(await innocent).toMatchObject(EMPTY_500);
      await until('an answer of the new worker', async () => {
        return (await sendRaw(own.url, { target: '/api/waits?ms=1' })).status === 200;
      });
      // Its own answer waits until another restart would be allowed.
      expect(await hangs).toMatchObject(EMPTY_500);
      expect(performance.now() - started).toBeGreaterThan(1_000 + 200 + 300);
      expect(own.workerPid).not.toBe(pid);
    });
  });
});

describe('an invocation that fails', () => {
  it.each([
    ['throws', { target: '/api/fails' }],
    ['sets a header that Node refuses', { target: `/api/says?with=${encodeURIComponent('{"x-name":"€"}')}` }],
    ['sets an invalid status', { target: '/api/says?status=99' }],
  ])('is an empty 500 only when nothing has moved for long, where the handler %s', async (_, request) => {
    const started = performance.now();

    expect(await sendRaw(probe.url, request)).toMatchObject(EMPTY_500);
    expect(performance.now() - started).toBeGreaterThan(700);
  });

  it('is an empty 500 at the end of its time; the worker stays', async () => {
    await withProbe({ AzureFunctionsJobHost__functionTimeout: '00:00:01' }, { timeoutGraceMs: 200 }, async (own) => {
      const pid = own.workerPid;

      expect(await sendRaw(own.url, { target: '/api/fails' })).toMatchObject(EMPTY_500);
      expect(own.workerPid).toBe(pid);
      expect(await own.findLine('Timeout value of 1000 ms was exceeded')).toMatchObject({ level: 'error' });
    });
  });

  it('is an empty 500 at once where a response header is Latin-1', async () => {
    await withProbe({}, { ...TIMES, inactivityMs: LONG_MS }, async (own) => {
      const started = performance.now();
      const target = `/api/says?with=${encodeURIComponent('{"x-name":"ä"}')}`;

      expect(await sendRaw(own.url, { target })).toMatchObject(EMPTY_500);
      expect(performance.now() - started).toBeLessThan(LONG_MS);
    });
  });

  it.each(['', '?declared'])('breaks off what was answered behind the library’s back%s', async (query) => {
    const connection = await openConnection(probe.url);
    connection.write(headOf('GET', `/api/behind${query}`));

    await connection.ended();
    expect(connection.text()).toMatch(/^HTTP\/1\.1 400 /);
    expect(connection.text()).not.toMatch(/\r\n0\r\n\r\n$/);
  });
});

describe('a body with Content-Length', () => {
  it('is read whole before the worker hears of the request', async () => {
    const connection = await openConnection(probe.url);
    const before = probe.countLines('untouched is called');
    connection.write(headOf('POST', '/api/untouched', ['Content-Length: 2000']));
    connection.write(Buffer.alloc(1_999));
    await delay(300);

    expect(probe.countLines('untouched is called')).toBe(before);
    connection.write('x');
    await connection.waitFor('HTTP/1.1 415');
    connection.socket.destroy();
  });

  it('is unknown to the worker when its caller goes away in the middle', async () => {
    const before = probe.countLines('reads is called');
    const request = { ...withBody('/api/reads', Buffer.alloc(1_000)), isUnfinished: true };
    const headers = ['Content-Length', '2000'];

    await expect(sendRaw(probe.url, { ...request, headers }, AbortSignal.timeout(200))).rejects.toThrow('aborted');
    await delay(100);

    expect(probe.countLines('reads is called')).toBe(before);
  });

  it('over the limit is an empty 500 at once, and the connection is closed', async () => {
    await withProbe({ FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1000' }, TIMES, async (own) => {
      const headers = ['Content-Length', '1001'];
      const answer = await sendRaw(own.url, { method: 'POST', target: '/api/untouched', headers, isUnfinished: true });

      expect(answer).toMatchObject(EMPTY_500);
      expect(answer.headers.connection).toBe('close');
      expect(own.countLines('untouched is called')).toBe(0);
      expect(await sendRaw(own.url, withBody('/api/reads', Buffer.alloc(1_000)))).toMatchObject({ text: '1000' });
    });
  });

  it.each([
    ['stops', 0],
    ['comes at 100 bytes a second', 10],
  ])('that %s is an empty 500; the handler is not called', async (_, bytesEachTenth) => {
    const connection = await openConnection(probe.url);
    const before = probe.countLines('untouched is called');
    connection.write(headOf('POST', '/api/untouched', ['Content-Length: 5000']));
    const timer = setInterval(() => connection.write(Buffer.alloc(bytesEachTenth)), 100);

    await connection.waitFor('HTTP/1.1 500');
    clearInterval(timer);

    await connection.ended();
    expect(probe.countLines('untouched is called')).toBe(before);
  });

  it('may come at 1,000 bytes a second', async () => {
    const connection = await openConnection(probe.url);
    connection.write(headOf('POST', '/api/reads', ['Content-Length: 1500']));
    for (let sent = 0; sent < 1_500; sent += 100) {
      connection.write(Buffer.alloc(100));
      await delay(100);
    }

    await connection.waitFor('1500');
    connection.socket.destroy();
  });
});

describe('a chunked body', () => {
  it('streams through: the handler is called on its head', async () => {
    const connection = await openConnection(probe.url);
    const before = probe.countLines('reads is called');
    connection.write(headOf('POST', '/api/reads', ['Transfer-Encoding: chunked']));

    await isCalled(probe, 'reads is called', before);
    connection.writeChunk('abc');
    connection.writeChunk('');
    expect(await connection.waitFor('\r\n0\r\n')).toContain('\r\n3\r\n');
    connection.socket.destroy();
  });

  it('blocks its sender while the handler does not read', async () => {
    await withProbe({}, { ...TIMES, inactivityMs: LONG_MS }, async (own) => {
      const connection = await openConnection(own.url);
      connection.write(headOf('POST', '/api/reads?after=3000', ['Transfer-Encoding: chunked']));
      const length = 64 * 1_048_576;
      connection.writeChunk(Buffer.alloc(length));
      connection.writeChunk('');
      await own.findLine('reads is called');
      await delay(400);

      expect(connection.socket.writableLength).toBeGreaterThan(length / 2);
      await connection.waitFor(String(length));
      connection.socket.destroy();
    });
  });

  it('over the limit breaks off in the middle: an empty 500, and the connection is closed', async () => {
    await withProbe({ FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '100000' }, TIMES, async (own) => {
      const answer = await sendRaw(own.url, withBody('/api/reads', Buffer.alloc(100_000), true));

      expect(answer).toMatchObject(EMPTY_500);
      expect(answer.headers.connection).toBe('close');
      expect(await own.findLine('reading failed: aborted ECONNRESET')).toBeDefined();
      // The framing counts: a body that is just under the limit goes through.
      expect(await sendRaw(own.url, withBody('/api/reads', Buffer.alloc(99_900), true))).toMatchObject({
        text: '99900',
      });
    });
  });

  it.each([
    ['stops', 0],
    ['comes at 100 bytes a second', 10],
  ])('that %s is an empty 500', async (_, bytesEachTenth) => {
    const connection = await openConnection(probe.url);
    connection.write(headOf('POST', '/api/untouched', ['Transfer-Encoding: chunked']));
    const timer = setInterval(() => {
      if (bytesEachTenth > 0) {
        connection.writeChunk(Buffer.alloc(bytesEachTenth));
      }
    }, 100);

    await connection.waitFor('HTTP/1.1 500');
    clearInterval(timer);

    await connection.ended();
  });

  it('reaches the worker in steps of 4 kB', async () => {
    const connection = await openConnection(probe.url);
    connection.write(headOf('POST', '/api/counts', ['Transfer-Encoding: chunked']));
    connection.writeChunk(Buffer.alloc(4_000));
    await delay(200);

    expect(probe.countLines('counted 4')).toBe(0);
    connection.writeChunk(Buffer.alloc(1_000));
    await probe.findLine('counted 4096 bytes');
    connection.writeChunk('');
    await probe.findLine('counted 5000 bytes');
    connection.socket.destroy();
  });
});

describe('an answer given while the body is being sent', () => {
  const LENGTH = 20 * 1_048_576;

  it.each([
    ['never touches', 'untouched'],
    ['reads away', 'drains'],
  ])('arrives, the connection stays, where the app %s the body', async (_, name) => {
    for (const isChunked of [true, false]) {
      const body = Buffer.alloc(LENGTH);

      expect(await sendRaw(probe.url, withBody(`/api/${name}`, body, isChunked))).toMatchObject({ status: 415 });
    }
  });

  it('arrives only after the whole body', async () => {
    const connection = await openConnection(probe.url);
    connection.write(headOf('POST', '/api/untouched', ['Transfer-Encoding: chunked']));
    connection.writeChunk(Buffer.alloc(100_000));
    await delay(300);

    expect(connection.text()).toBe('');
    connection.writeChunk('');
    await connection.waitFor('HTTP/1.1 415');
    connection.write(headOf('GET', '/api/raw'));
    await connection.waitFor('HTTP/1.1 200');
    connection.socket.destroy();
  });

  it('is lost where the app stops reading: the worker closes the connection after six seconds', async () => {
    await withProbe({}, {}, async (own) => {
      const started = performance.now();
      const length = 50 * 1_048_576; // More than the system buffers between host and worker.

      const answers = await Promise.all(
        ['releases', 'cancels'].map((name) => sendRaw(own.url, withBody(`/api/${name}`, Buffer.alloc(length), true))),
      );

      expect(answers).toMatchObject([EMPTY_500, EMPTY_500]);
      expect(performance.now() - started).toBeGreaterThan(5_000 + 1_850);
    });
  });

  it('is lost where the app resets the connection: ten attempts, 1.85 s', async () => {
    await withProbe({}, {}, async (own) => {
      const started = performance.now();

      const answer = await sendRaw(own.url, withBody('/api/resets', Buffer.alloc(LENGTH), true));

      expect(answer).toMatchObject(EMPTY_500);
      expect(performance.now() - started).toBeGreaterThan(1_850);
      expect(PLATFORM_TIMES.retryDelaysMs).toHaveLength(9);
    });
  });

  it('is asked for ten times when there is no body to lose', async () => {
    await withProbe({ PROBE_RESET: '1' }, TIMES, async (own) => {
      expect(await sendRaw(own.url, { target: '/api/waits?ms=800' })).toMatchObject(EMPTY_500);
      expect(own.countLines('received again')).toBe(9);
    });
  });
});

describe('a caller that expects 100 Continue', () => {
  const EXPECT = ['Expect: 100-continue'];

  it('is asked to continue by the worker, and the header arrives', async () => {
    const connection = await openConnection(probe.url);
    connection.write(headOf('POST', '/api/raw', [...EXPECT, 'Transfer-Encoding: chunked']));
    await connection.waitFor('HTTP/1.1 100 Continue');
    connection.writeChunk('abc');
    connection.writeChunk('');

    expect(await connection.waitFor('"bodyLength":3')).toContain('"expect":"100-continue"');
    connection.socket.destroy();
  });

  it('is asked to continue by the host when the body has a Content-Length', async () => {
    const connection = await openConnection(probe.url);
    const before = probe.countLines('raw is called');
    connection.write(headOf('POST', '/api/raw', [...EXPECT, 'Content-Length: 3']));
    await connection.waitFor('HTTP/1.1 100 Continue');

    expect(probe.countLines('raw is called')).toBe(before);
    connection.write('abc');
    await connection.waitFor('"bodyLength":3');
    connection.socket.destroy();
  });

  it('is refused before it sends, where the worker answers without Continue', async () => {
    await withProbe({ PROBE_REFUSE_EXPECT: '1' }, { continueWaitMs: LONG_MS }, async (own) => {
      await sendRaw(own.url, { target: '/api/raw' });
      const connection = await openConnection(own.url);
      const started = performance.now();
      connection.write(headOf('POST', '/api/untouched', [...EXPECT, 'Transfer-Encoding: chunked']));

      expect(await connection.waitFor('no')).toMatch(/^HTTP\/1\.1 415 /);
      expect(performance.now() - started).toBeLessThan(LONG_MS);
      connection.socket.destroy();
    });
  });

  it('may send anyway, when the worker says nothing for long', async () => {
    await withProbe({ PROBE_REFUSE_EXPECT: '1' }, TIMES, async (own) => {
      await sendRaw(own.url, { target: '/api/raw' });
      const connection = await openConnection(own.url);
      connection.write(headOf('POST', '/api/reads', [...EXPECT, 'Transfer-Encoding: chunked']));
      await connection.waitFor('HTTP/1.1 100 Continue');
      connection.writeChunk('abc');
      connection.writeChunk('');

      await connection.waitFor('\r\n3\r\n');
      connection.socket.destroy();
    });
  });

  it('makes the attempts after a broken one reach the worker, with one invocation id', async () => {
    await withProbe({ PROBE_RESET: '1' }, TIMES, async (own) => {
      const connection = await openConnection(own.url);
      connection.write(headOf('POST', '/api/waits?ms=800', [...EXPECT, 'Transfer-Encoding: chunked']));
      connection.writeChunk('abc');

      await connection.waitFor('HTTP/1.1 500');
      expect(own.countLines('received again')).toBeGreaterThanOrEqual(5);
    });
  });
});

describe('a caller that goes away', () => {
  it('in the middle of a chunked body breaks the body off for the app', async () => {
    const request = { ...withBody('/api/reads', Buffer.alloc(10_000), true), isUnfinished: true };

    await leave(probe, 'reads', request);

    expect(await probe.findLine('reading failed: aborted ECONNRESET')).toBeDefined();
  });

  it.each<[string, RawRequest, readonly string[]]>([
    ['a GET', { target: '/api/waits?ms=3000' }, ['request aborted', 'request error ECONNRESET']],
    ['a POST whose body is through', withBody('/api/waits?ms=3000', Buffer.from('x')), []],
  ])('while it waits closes the response of %s; the handler runs on', async (_, request, seen) => {
    await withProbe({}, { ...TIMES, inactivityMs: LONG_MS }, async (own) => {
      await leave(own, 'waits', request);

      await own.findLine('response closed, finished: false');
      for (const line of seen) {
        await own.findLine(line);
      }
      expect(own.countLines('request ')).toBe(seen.length);
      await own.findLine('waits is done');
      await own.findLine("Executed 'Functions.waits' (Failed");
    });
  });

  it('in the middle of an answer closes the response; its maker runs to the end', async () => {
    await withProbe({}, TIMES, async (own) => {
      const target = '/api/drips?drops=5&ms=100';
      const connection = await openConnection(own.url);
      connection.write(headOf('GET', target));
      await connection.waitFor('.');
      connection.socket.destroy();

      await own.findLine('response closed');
      await own.findLine('drips is done');
    });
  });
});

describe('an answer that takes long', () => {
  it('is lost when nothing moves; the caller gets an empty 500 when the handler returns', async () => {
    await withProbe({}, TIMES, async (own) => {
      const started = performance.now();
      const answered = sendRaw(own.url, { target: '/api/waits?ms=5000' });
      await own.findLine('response closed, finished: false');

      expect(own.countLines('waits is done')).toBe(0);
      expect(await answered).toMatchObject(EMPTY_500);
      expect(performance.now() - started).toBeGreaterThan(5_000);
    });
  });

  it('arrives whole when something moves in time', async () => {
    await withProbe({}, { ...TIMES, inactivityMs: 4_000 }, async (own) => {
      const { status, text } = await sendRaw(own.url, { target: '/api/drips?drops=4&ms=1500' });

      expect({ status, text }).toEqual({ status: 200, text: '....' });
    });
  });
});

describe('an answer', () => {
  const say = (parameters: Record<string, string>) =>
    sendRaw(probe.url, { target: `/api/says?${new URLSearchParams(parameters)}` });

  it.each([202, 308, 409, 412, 413, 416, 417, 424, 428, 429, 499, 507, 509])('keeps status %i', async (status) => {
    const answer = await say({ status: String(status), with: '{"Location":"https://probe.test/x"}' });

    expect(answer).toMatchObject({ status, text: 'said', headers: { location: 'https://probe.test/x' } });
  });

  it.each([204, 304])('has no body with %i', async (status) => {
    expect(await say({ status: String(status) })).toMatchObject({ status, text: '' });
  });

  it('keeps its headers, Server and Date too; those of the connection are dropped', async () => {
    const kept = {
      range: 'bytes=0-1',
      'retry-after': '1',
      'preference-applied': 'respond-async',
      'x-ms-chunk-size': '10',
      etag: '"a"',
      'content-range': 'bytes 0-1/2',
      server: 'probe',
      date: 'Thu, 01 Jan 2026 00:00:00 GMT',
      'content-length': '4',
    };
    const dropped = { 'keep-alive': 'timeout=9', trailer: 'x', upgrade: 'x', 'x-ms-invocation-id': 'mine' };

    const { headers } = await say({ with: JSON.stringify({ ...kept, ...dropped }) });

    expect(headers).toMatchObject(kept);
    expect(headers).not.toHaveProperty('trailer');
    expect(headers).not.toHaveProperty('upgrade');
    expect(headers['x-ms-invocation-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is chunked unless it has a Content-Length', async () => {
    const answer: RawAnswer = await say({});

    expect(answer.headers['transfer-encoding']).toBe('chunked');
  });
});

describe('a worker that dies', () => {
  it('is started again: what it was doing is an empty 500, what comes meanwhile waits', async () => {
    await withProbe({}, { restartWaitMs: 100 }, async (own) => {
      for (let death = 0; death < 3; death++) {
        const pid = own.workerPid;
        const before = own.countLines('waits is called');
        const pending = sendRaw(own.url, { target: `/api/waits?ms=${LONG_MS}` });
        await isCalled(own, 'waits is called', before);
        process.kill(pid, 'SIGKILL');

        expect(await pending).toMatchObject(EMPTY_500);
        const next = await sendRaw(own.url, withBody('/api/reads', randomBytes(10), true));
        expect(next).toMatchObject({ status: 200, text: '10' });
        expect(own.workerPid).not.toBe(pid);
      }
    });
  });

  it('is not started again sooner than some time after the last restart', async () => {
    await withProbe({}, { restartWaitMs: 1_000 }, async (own) => {
      process.kill(own.workerPid, 'SIGKILL');
      await own.findLine('SIGKILL');
      await sendRaw(own.url, { target: '/api/raw' });
      const restarted = performance.now();
      process.kill(own.workerPid, 'SIGKILL');
      await until('the host has seen it', () => own.countLines('SIGKILL') === 2);
      await sendRaw(own.url, { target: '/api/raw' });

      expect(performance.now() - restarted).toBeGreaterThan(800);
    });
  });
});
