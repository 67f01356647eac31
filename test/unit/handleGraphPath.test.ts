import { createConcurrencyLimiter } from '../../shared/common/concurrencyLimiter.ts';
import { abortable } from '../../shared/common/deadline.ts';
import type { Dependencies } from '../../shared/dependencies.ts';
import { ServiceError } from '../../shared/errors.ts';
import type { GraphResponse } from '../../shared/graph/graphResponse.ts';
import { handleGraphPath } from '../../shared/handleGraphPath.ts';
import type { JobRecord } from '../../shared/jobs/jobRecord.ts';
import { createJsonMemory, type JsonMemory } from '../../shared/sources/jsonMemory.ts';
import { SIZE_BELOW_MINIMUM } from '../../shared/transfer/smallAttachment.ts';
import {
  APP_ID,
  CLIENT_REQUEST_ID,
  configOf,
  incomingRequest,
  invocation,
  policyOf,
  REQUEST_ID,
  type RequestParts,
  SESSION_BODY,
  upstreamAnswer,
  VALID_BODY,
} from '../support/builders.ts';
import { createMemoryRecords } from '../support/memoryRecords.ts';

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const PATH = 'users/Adele@contoso.example/messages/AAMk=/attachments/createUploadSession';

interface Run {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly line: Record<string, unknown>;
  readonly sent: readonly unknown[][];
  /** Whether the body was asked for. */
  readonly isBodyRead: boolean;
}

const notAsked = () => Promise.reject(new Error('not asked for'));
const NOT_ASKED = {
  appTokens: { acquire: notAsked, invalidate: () => {} },
  userTokens: undefined,
  concurrencyLimiter: createConcurrencyLimiter(1),
  uploadLocks: createConcurrencyLimiter(1),
  uploads: {
    create: notAsked,
    read: notAsked,
    write: notAsked,
    acquireLease: notAsked,
    renewLease: notAsked,
    releaseLease: notAsked,
    breakLease: notAsked,
  },
  uploadClient: { put: notAsked, remove: notAsked },
  jsonMemory: createJsonMemory(),
  idempotency: {
    create: notAsked,
    read: notAsked,
    replace: notAsked,
    acquireLease: notAsked,
    renewLease: notAsked,
    releaseLease: notAsked,
    breakLease: notAsked,
  },
  jobs: { store: createMemoryRecords<JobRecord>(), queue: undefined },
  closing: new AbortController().signal,
};

/** Answers one request with an app as caller that may do everything, a Graph that makes a session, and no network. */
async function run(
  { path = PATH, ...parts }: RequestParts & { path?: string } = {},
  others: Partial<Dependencies> = {},
): Promise<Run> {
  const sent: unknown[][] = [];
  const dependencies: Dependencies = {
    config: configOf({ LOG_MAILBOX: 'plain' }),
    authenticator: { authenticate: async () => ({ kind: 'app', appId: APP_ID }) },
    policy: policyOf({ mailboxes: ['*'], groups: ['*'] }),
    graphHttp: async () => ({
      async send(call, { mailbox }) {
        sent.push([call, mailbox]);
        return upstreamAnswer(201, SESSION_BODY, { 'request-id': 'of Graph', 'set-cookie': 'no' });
      },
    }),
    ...NOT_ASKED,
    ...others,
  };
  let isBodyRead = false;
  async function* watched(): AsyncGenerator<Uint8Array> {
    isBodyRead = true;
    yield Buffer.from(JSON.stringify(VALID_BODY));
  }
  const { context, lines } = invocation();
  const request = incomingRequest({ body: watched(), ...parts });
  const response = await handleGraphPath({ kind: 'read', request }, path, context, dependencies);
  expect(lines).toHaveLength(1);
  const body: unknown = JSON.parse(response.body);
  const line: Record<string, unknown> = JSON.parse(lines[0]?.text ?? '');
  return { ...response, body, line, sent, isBodyRead };
}

const refused = (code: string) => ({ error: expect.objectContaining({ code }) });

describe('handleGraphPath', () => {
  it("relays Graph's session and writes one line", async () => {
    const { status, headers, body, line } = await run();

    expect(status).toBe(201);
    expect(headers).toEqual({ 'request-id': 'of Graph', 'client-request-id': expect.stringMatching(GUID) });
    expect(body).toEqual(JSON.parse(SESSION_BODY));
    expect(line).toMatchObject({
      event: 'request',
      code: 'Created',
      status: 201,
      caller: 'newsletter',
      policyPath: '/callers/0/mailboxes/0',
      kind: 'message',
      mailbox: 'Adele@contoso.example',
      sizeBytes: VALID_BODY.AttachmentItem.size,
      requestId: REQUEST_ID,
    });
  });

  it('sends what was checked and nothing else of the caller', async () => {
    const headers = {
      'content-type': 'application/json',
      authorization: 'Bearer theirs',
      'client-request-id': CLIENT_REQUEST_ID,
      prefer: 'IdType="ImmutableId"',
      cookie: 'c',
      'x-ms-client-principal': 'p',
    };

    const { sent } = await run({ headers, body: '{"attachmentitem":{"SIZE":5,"Name":"a","AttachmentType":"File"}}' });

    expect(sent).toEqual([
      [
        {
          operation: 'createUploadSession',
          method: 'POST',
          kind: 'message',
          version: 'v1.0',
          path: '/users/Adele%40contoso.example/messages/AAMk%3D/attachments/createUploadSession',
          body: '{"AttachmentItem":{"size":5,"name":"a","attachmentType":"file"}}',
          clientRequestId: CLIENT_REQUEST_ID,
          wantsImmutableIds: true,
          traceParent: undefined,
        },
        'adele@contoso.example',
      ],
    ]);
  });

  it('never sends me to Graph', async () => {
    const { sent, line } = await run(
      { path: 'me/messages/m/attachments/createUploadSession' },
      { policy: policyOf({ me: 'adele@contoso.example' }) },
    );

    expect(sent[0]?.[0]).toHaveProperty(
      'path',
      '/users/adele%40contoso.example/messages/m/attachments/createUploadSession',
    );
    expect(line).toMatchObject({ mailbox: 'adele@contoso.example', policyPath: '/callers/0/me' });
  });

  it('knows the group of a joined group', async () => {
    const { sent, line } = await run({ path: 'me/joinedGroups/g/threads/t/posts/p/attachments/createUploadSession' });

    expect(sent[0]?.[0]).toHaveProperty('path', '/groups/g/threads/t/posts/p/attachments/createUploadSession');
    expect(line).toMatchObject({ group: 'g', kind: 'post' });
    expect(line).not.toHaveProperty('mailbox');
  });

  it.each([
    ['an unknown caller', {}, 401, 'InvalidAuthenticationToken'],
    ['an unknown path', { path: 'users/u/nothing' }, 404, 'PathNotSupported'],
    ['an unsafe id', { path: PATH.replace('AAMk=', 'a%2Fb') }, 400, 'InvalidId'],
    ['another method', { method: 'PUT' }, 405, 'MethodNotAllowed'],
    ['another media type', { headers: { 'content-type': 'text/plain' } }, 415, 'UnsupportedMediaType'],
    [
      'a declared length over the limit',
      { headers: { 'content-type': 'application/json', 'content-length': '65537' } },
      413,
      'RequestBodyTooLarge',
    ],
  ])('answers %s before it reads the body', async (_, parts, status, code) => {
    const authenticator = {
      authenticate: () =>
        Promise.reject(
          new ServiceError('InvalidAuthenticationToken', 'm', { headers: { 'www-authenticate': 'Bearer' } }),
        ),
    };

    const result = await run(parts, status === 401 ? { authenticator } : {});

    expect(result).toMatchObject({ status, body: refused(code), isBodyRead: false, sent: [] });
    expect(result.line).toMatchObject({ status, code });
  });

  it.each([
    ['no JSON', { body: '{' }, 400, 'InvalidJson'],
    ['an empty body', { body: null }, 400, 'InvalidJson'],
    ['a body with faults', { body: '{"AttachmentItem":{}}' }, 400, 'InvalidAttachment'],
    ['me, which nothing names', { path: 'me/messages/m/attachments/createUploadSession' }, 400, 'MailboxNotNamed'],
  ])('answers %s without asking for a token or Graph', async (_, parts, status, code) => {
    const graphHttp = jest.fn();

    const result = await run(parts, { graphHttp });

    expect(result).toMatchObject({ status, body: refused(code) });
    expect(graphHttp).not.toHaveBeenCalled();
  });

  it('denies with what was asked as the caller wrote it, and the reason only in the log', async () => {
    const graphHttp = jest.fn();
    const policy = policyOf({ mailboxes: ['megan@contoso.example'] });

    const { status, body, line } = await run({}, { policy, graphHttp });

    expect(status).toBe(403);
    expect(body).toMatchObject({
      error: { message: "This caller may not attach a file to a message of mailbox 'Adele@contoso.example'." },
    });
    expect(JSON.stringify(body)).not.toMatch(/megan|callers|newsletter/);
    expect(line).toMatchObject({
      code: 'CallerNotAllowed',
      caller: 'newsletter',
      policyPath: '/callers/0/mailboxes',
      cause: 'denied: owner',
    });
    expect(graphHttp).not.toHaveBeenCalled();
  });

  it('names the limit in a denial for size', async () => {
    const { body } = await run({}, { policy: policyOf({ mailboxes: ['*'], maxBytes: 1_000 }) });

    expect(body).toMatchObject({ error: { message: expect.stringContaining('of more than 1000 bytes') } });
  });

  it('says which method is allowed', async () => {
    const { headers } = await run({ method: 'GET' });

    expect(headers).toMatchObject({ allow: 'POST' });
  });

  it('puts our ids into an error', async () => {
    const headers = { 'content-type': 'text/plain', 'client-request-id': CLIENT_REQUEST_ID };

    const result = await run({ headers });

    const ids = { 'request-id': REQUEST_ID, 'client-request-id': CLIENT_REQUEST_ID };
    expect(result.headers).toMatchObject(ids);
    expect(result.body).toMatchObject({ error: { innerError: ids } });
  });

  it("logs Graph's own code where its error is relayed", async () => {
    const graphError = JSON.stringify({ error: { code: 'ErrorItemNotFound', message: 'x' } });
    const graphHttp = async () => ({ send: async () => upstreamAnswer(404, graphError) });

    const { status, body, line } = await run({}, { graphHttp });

    expect([status, body]).toEqual([404, JSON.parse(graphError)]);
    expect(line).toMatchObject({ code: 'ErrorItemNotFound', status: 404 });
  });

  it.each([
    ['the graphHttp', { graphHttp: () => Promise.reject(new TypeError('Zq7-marker')) }],
    ['the authenticator', { authenticator: { authenticate: () => Promise.reject(new TypeError('Zq7-marker')) } }],
  ])('answers 500 when %s fails in a way that was not foreseen, and tells why only in the log', async (_, others) => {
    const { status, body, line } = await run({}, others);

    expect([status, body]).toEqual([500, refused('InternalError')]);
    expect(JSON.stringify(body)).not.toContain('Zq7-marker');
    expect(line).toMatchObject({ code: 'InternalError', cause: expect.stringContaining('TypeError: Zq7-marker') });
  });

  it('answers inside its time where a stage hangs', async () => {
    const hang = (signal: AbortSignal) => abortable(new Promise<never>(() => {}), signal);
    const config = configOf({ REQUEST_TIMEOUT_MS: '100' });
    const stages: Partial<Dependencies>[] = [
      { authenticator: { authenticate: (_authorization, signal) => hang(signal) } },
      { graphHttp: async () => ({ send: (_call, { deadline }) => hang(deadline.signal) }) },
    ];

    for (const stage of stages) {
      expect(await run({}, { config, ...stage })).toMatchObject({ status: 504, body: refused('TimedOut') });
    }
  });

  it('leaves no timer behind, whatever the answer', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    try {
      await run();
      await run({ body: '{' });

      expect(jest.getTimerCount()).toBe(0);
    } finally {
      jest.useRealTimers();
    }
  });

  it('puts neither id nor file name nor uploadUrl into the line', async () => {
    const body = JSON.stringify({ AttachmentItem: { ...VALID_BODY.AttachmentItem, name: 'Zq7-name' } });

    for (const path of [PATH, 'users/u/nothing', 'me/messages/AAMk=/attachments/createUploadSession']) {
      const { line } = await run({ path, body });
      expect(JSON.stringify(line)).not.toMatch(/AAMk|Zq7-name|outlook\.office/);
    }
  });

  it('says how large a file must be for a session, and the other way, where Graph says neither', async () => {
    const error = { code: SIZE_BELOW_MINIMUM, message: 'Too small.', innerError: { 'request-id': 'of Graph' } };
    const send = async () => upstreamAnswer(400, JSON.stringify({ error }), { 'request-id': 'of Graph' });

    const { status, headers, body } = await run({}, { graphHttp: async () => ({ send }) });

    expect([status, headers['request-id']]).toEqual([400, 'of Graph']);
    expect(body).toEqual({
      error: {
        ...error,
        message:
          'Too small. Upload sessions are for files of 3 MB (3000000 bytes) or more. Attach this file in one call: POST its bytes to …/attachments?name=<file name>.',
      },
    });
  });

  describe('with a file in JSON', () => {
    const path = PATH.replace('/createUploadSession', '');
    const body = JSON.stringify({ name: 'a', contentBytes: Buffer.alloc(90).toString('base64') });
    const attached = upstreamAnswer(201, JSON.stringify({ id: 'AAA=' }));

    /** A memory for 100 bytes, and the most and the last that was held in it. */
    function watchedMemory() {
      const memory = createJsonMemory(100);
      let opened = 0;
      const isEmpty = () => {
        const probe = memory.open();
        probe.grow(100);
        probe.release();
        return opened;
      };
      const jsonMemory: JsonMemory = {
        open() {
          opened += 1;
          return memory.open();
        },
      };
      return { jsonMemory, isEmpty };
    }

    const graph = (send: () => Promise<GraphResponse>) => ({
      graphHttp: async () => ({ send }),
    });

    it.each<[string, string, () => Promise<GraphResponse>, number]>([
      ['is attached', body, async () => attached, 201],
      ['Graph refuses', body, async () => upstreamAnswer(403, '{"error":{"code":"ErrorAccessDenied"}}'), 403],
      ['the proxy fails with', body, () => Promise.reject(new Error('broken')), 500],
      ['the proxy refuses', body.replace('"name"', '"colour"'), async () => attached, 400],
      ['breaks off', body.slice(0, -10), async () => attached, 400],
      ['is too large for the memory', body.replace('"}', `${'QUJD'.repeat(10)}"}`), async () => attached, 503],
    ])('holds nothing after a file that %s', async (_, json, send, expected) => {
      const { jsonMemory, isEmpty } = watchedMemory();

      const { status } = await run({ path, body: json }, { jsonMemory, ...graph(send) });

      expect([status, isEmpty()]).toEqual([expected, 1]);
    });

    it('is refused with 503 while others hold the memory, and taken after they have ended', async () => {
      const { jsonMemory } = watchedMemory();
      let answerFirst = (_: GraphResponse) => {};
      let isAsked = () => {};
      const asked = new Promise<void>((resolve) => {
        isAsked = resolve;
      });
      const first = run(
        { path, body },
        {
          jsonMemory,
          ...graph(() => {
            isAsked();
            return new Promise((resolve) => {
              answerFirst = resolve;
            });
          }),
        },
      );
      await asked;

      const others = Array.from({ length: 3 }, () =>
        run({ path, body }, { jsonMemory, ...graph(async () => attached) }),
      );
      for (const { status, headers, body: answer } of await Promise.all(others)) {
        expect([status, headers['retry-after'], answer]).toEqual([503, '5', refused('InstanceBusy')]);
      }
      answerFirst(attached);

      expect((await first).status).toBe(201);
      expect((await run({ path, body }, { jsonMemory, ...graph(async () => attached) })).status).toBe(201);
    });
  });
});
