import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  GRAPH_ERRORS,
  type GraphErrorName,
  SEND_ERRORS,
  UPLOAD_ERRORS,
} from '../../local/emulators/errors/namedErrors.ts';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { IDENTITY_ERRORS } from '../../local/emulators/managedIdentity/identityErrors.ts';
import { type Answer, attachmentItem, errorOf, type GraphBench, MESSAGE, startGraph } from './emulators.ts';

type Outcome =
  | { readonly kind: 'error'; readonly status: number }
  | { readonly kind: 'html'; readonly status: number }
  | { readonly kind: 'text'; readonly status: number; readonly text: string }
  | { readonly kind: 'broken'; readonly because: RegExp }
  | { readonly kind: 'hangs' }
  | { readonly kind: 'session'; readonly url: (body: Record<string, unknown>) => unknown };

const broken: Outcome = { kind: 'broken', because: /ECONNRESET|aborted|socket/ };
const error = (status: number): Outcome => ({ kind: 'error', status });
const html = (status: number): Outcome => ({ kind: 'html', status });

/** What a client sees of each error. */
const OUTCOMES: Record<GraphErrorName, Outcome> = {
  status401: error(401),
  status403: error(403),
  status404: error(404),
  status409: error(409),
  status412: error(412),
  status423: error(423),
  status429: error(429),
  status500: error(500),
  status502: error(502),
  status503: error(503),
  status504: error(504),
  html: html(200),
  html413: html(413),
  html429: html(429),
  html502: html(502),
  html503: html(503),
  redirect: { kind: 'text', status: 302, text: '' },
  empty: { kind: 'text', status: 201, text: '' },
  notJson: { kind: 'text', status: 201, text: '{"uploadUrl":' },
  noUploadUrl: { kind: 'text', status: 201, text: '{}' },
  hangBeforeHeaders: { kind: 'hangs' },
  hangInBody: { kind: 'hangs' },
  resetBeforeHeaders: broken,
  resetAfterHeaders: broken,
  tlsReset: broken,
  truncated: broken,
  slowDrip: { kind: 'session', url: (body) => body['uploadUrl'] },
  hugeBody: { kind: 'session', url: (body) => body['uploadUrl'] },
  upperCaseKeys: { kind: 'session', url: (body) => body['UploadUrl'] },
  latin1Header: { kind: 'session', url: (body) => body['uploadUrl'] },
  utf8Header: { kind: 'session', url: (body) => body['uploadUrl'] },
  valueForm: {
    kind: 'session',
    url: ({ value }) => (value instanceof Object && 'uploadUrl' in value ? value.uploadUrl : undefined),
  },
};
const NAMES = Object.keys(GRAPH_ERRORS) as GraphErrorName[];

function onItem(id: string): string {
  return `/v1.0/users/${ADELE.id}/messages/${encodeURIComponent(id)}`;
}

test('local/README.md names every error with its description', () => {
  const docs = readFileSync(join(__dirname, '../../local/README.md'), 'utf8');

  for (const [name, { description }] of Object.entries({
    ...GRAPH_ERRORS,
    ...UPLOAD_ERRORS,
    ...SEND_ERRORS,
    ...IDENTITY_ERRORS,
  })) {
    expect(docs).toContain(`- \`${name}\`: ${description}\n`);
  }
});

describe('the errors of the Graph emulator', () => {
  let bench: GraphBench;

  beforeAll(async () => {
    bench = await startGraph();
  });
  afterAll(() => bench.graph.close());
  afterEach(() => bench.graph.reset());

  async function assess(answer: () => Promise<Answer>, outcome: Outcome): Promise<void> {
    if (outcome.kind === 'hangs') return expect(answer()).rejects.toMatchObject({ code: 'ABORT_ERR' });
    if (outcome.kind === 'broken') return expect(answer()).rejects.toThrow(outcome.because);
    const { status, headers, text, json } = await answer();
    switch (outcome.kind) {
      case 'error':
        expect(status).toBe(outcome.status);
        expect(json).toEqual({
          error: { code: expect.any(String), message: expect.any(String), innerError: expect.any(Object) },
        });
        break;
      case 'html':
        expect([status, headers['content-type'], headers['request-id']]).toEqual([
          outcome.status,
          'text/html; charset=utf-8',
          undefined,
        ]);
        expect(text).toMatch(/^<!DOCTYPE html>/);
        break;
      case 'text':
        expect([status, text]).toEqual([outcome.status, outcome.text]);
        break;
      case 'session':
        expect(status).toBe(201);
        expect(outcome.url(json)).toMatch(/^https:/);
        break;
    }
  }

  test.each(NAMES)('plays %s on the next call, once', async (error) => {
    bench.graph.play({ error, ms: 1 });

    await assess(
      () => bench.create(MESSAGE, attachmentItem(), { timeoutMs: OUTCOMES[error].kind === 'hangs' ? 100 : 10_000 }),
      OUTCOMES[error],
    );

    expect((await bench.create(MESSAGE)).status).toBe(201);
  });

  test.each(NAMES.filter((name) => name !== 'tlsReset'))('plays %s by the id in the path', async (error) => {
    const path = onItem(`error=${error};times=1;ms=1;nonce=${error}`);

    await assess(
      () => bench.create(path, attachmentItem(), { timeoutMs: OUTCOMES[error].kind === 'hangs' ? 100 : 10_000 }),
      OUTCOMES[error],
    );

    expect(bench.graph.requests.at(-1)).toMatchObject({ error });
    expect((await bench.create(path)).status).toBe(201);
  });

  test('fails the first n calls with exactly one id', async () => {
    const first = onItem('error=status503;times=2;nonce=a');
    const second = onItem('error=status503;times=2;nonce=b');

    const statuses: number[] = [];
    for (const path of [first, first, second, first, second, second]) statuses.push((await bench.create(path)).status);

    expect(statuses).toEqual([503, 503, 503, 201, 503, 201]);
  });

  test('fails without end when the id gives no number', async () => {
    const statuses = [];
    for (let call = 0; call < 5; call += 1) statuses.push((await bench.create(onItem('error=status500'))).status);

    expect(statuses).toEqual([500, 500, 500, 500, 500]);
  });

  test.each([
    ['status429', '2'],
    ['status503', undefined],
    ['status503;retry-after=0', '0'],
    ['status429;retry-after=9999', '9999'],
    ['status429;retry-after=none', undefined],
    ['status504;retry-after=garbage', 'soon'],
    ['html429;retry-after=7', '7'],
    ['status503;retry-after=date', 'Fri, 02 Jan 2026 03:04:08 GMT'],
  ])('answers error=%s with Retry-After %s', async (error, expected) => {
    const { headers } = await bench.create(onItem(`error=${error}`));

    expect(headers['retry-after']).toBe(expected);
  });

  test.each([
    ['error=', /^No error ''\. Known: /],
    ['error=status999', /^No error 'status999'/],
    ['error=tlsReset', /play\(\)/],
    ['error=html;times=x', /^times /],
    ['error=html;colour=red', /'colour'/],
    ['error=html;retry-after=soon', /^retry-after /],
    ['error=html;on=move', /^on /],
  ])('refuses the id %s and says why', async (id, message) => {
    const answer = await bench.create(onItem(id));

    expect([answer.status, errorOf(answer)['code']]).toEqual([400, 'BadRequest']);
    expect(errorOf(answer)['message']).toMatch(message);
  });

  test('checks the token before it plays an error', async () => {
    const answer = await bench.create(onItem('error=status503'), attachmentItem(), {
      headers: { authorization: 'Bearer no' },
    });

    expect(answer.status).toBe(401);
  });

  test('sends the caller elsewhere with redirect', async () => {
    const { headers } = await bench.create(onItem('error=redirect'));

    expect(headers.location).toBe('https://elsewhere.invalid/');
  });

  test('drips one byte each given time', async () => {
    const startedAt = Date.now();

    const { text } = await bench.create(onItem('error=slowDrip;ms=1'));

    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(text.length * 0.9);
  });

  test('sends a body of 20 MiB with hugeBody', async () => {
    expect((await bench.create(onItem('error=hugeBody'))).text.length).toBeGreaterThan(20 * 1_048_576);
  });

  test('does not take what it breaks off for a client that went away', async () => {
    for (const error of ['resetBeforeHeaders', 'truncated'])
      await bench.create(onItem(`error=${error}`)).catch(() => {});

    expect(bench.graph.requests.map(({ aborted }) => aborted)).toEqual([false, false]);
  });

  test('plays an error on uploads only when asked, by id and by name', async () => {
    const opened = await bench.create(onItem('error=status503;times=1;on=upload'));
    const headers = { 'content-range': 'bytes 0-9/3000000' };
    const put = () => bench.call('PUT', String(opened.json['uploadUrl']), { headers, body: '0123456789' });

    const byId = await put();
    bench.graph.play({ error: 'status500', on: 'upload' });
    const created = await bench.create(MESSAGE);
    const byName = await put();
    const good = await put();

    expect([opened.status, byId.status, created.status, byName.status, good.status]).toEqual([201, 503, 201, 500, 200]);
  });

  test('plays at a rate, the same way for the same seed', async () => {
    const draw = async () => {
      bench.graph.reset();
      bench.graph.play({ error: 'status503', rate: 0.3 });
      const statuses: number[] = [];
      for (let call = 0; call < 60; call += 1) statuses.push((await bench.create(MESSAGE)).status);
      return statuses;
    };

    const first = await draw();
    const second = await draw();

    const failed = first.filter((status) => status === 503).length;
    expect(second).toEqual(first);
    expect(failed).toBeGreaterThan(5);
    expect(failed).toBeLessThan(40);
  });
});
