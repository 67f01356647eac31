import fc from 'fast-check';
import { type Forgery, forgery, toBody, toQuery } from '../support/forgery.ts';
import { type RawAnswer, sendRaw } from '../support/probeApp/sendRaw.ts';
import { runs } from '../support/runs.ts';
import { type AppEvent, ATTACHMENT_ITEM, GUID } from '../support/site.ts';
import { errorCode, itemPath, startTenantSite, type TenantSite } from '../support/tenantSite.ts';

/**
 * The host mixes members of a JSON body, and the query, into what it says to the worker of a request's headers and route
 * (azure-webjobs-sdk-extensions, HttpTriggerAttributeBindingProvider.GetRequestBindingData). None of it may be believed.
 */
const RUNS = runs(60, 300);

const ALICE = '1f0e2d3c-4b5a-4968-8776-655443322110';
const BOB = '2a1b3c4d-5e6f-4071-8293-a4b5c6d7e8f9';
const POLICY = {
  callers: [
    { name: 'Alice', appId: ALICE, mailboxes: ['alice@contoso.example'], kinds: ['message'] },
    { name: 'Bob', appId: BOB, mailboxes: ['bob@contoso.example'], kinds: ['message'] },
  ],
};
const PATHS = {
  alice: `users/alice@contoso.example/${itemPath('message')}`,
  bob: `users/bob@contoso.example/${itemPath('message')}`,
};

const REAL_ID = 'aaaaaaaa-1111-4222-8333-444444444444';
const REAL_TRACE = '0af7651916cd43dd8448eb211c80319c';
const FORGED_ID = 'bbbbbbbb-1111-4222-8333-444444444444';
const FORGED_TRACE = 'ffffffffffffffffffffffffffffffff';

interface Case {
  readonly method: string;
  readonly caller: 'Alice' | undefined;
  readonly target: keyof typeof PATHS;
  readonly contentType: string | undefined;
  readonly isChunked: boolean;
  readonly forgery: Forgery;
}

let site: TenantSite;
let bearers: { readonly alice: string; readonly bob: string };

beforeAll(async () => {
  site = await startTenantSite({ policy: POLICY, settings: { LOG_MAILBOX: 'plain' } });
  bearers = { alice: await site.bearer(ALICE), bob: await site.bearer(BOB) };
});
afterAll(() => site.close());

/** Each would change what comes of the request, if it were believed. */
function forgedHead(): Record<string, string> {
  return {
    authorization: bearers.bob,
    'content-type': 'application/json',
    'client-request-id': FORGED_ID,
    prefer: 'IdType="ImmutableId"',
    traceparent: `00-${FORGED_TRACE}-b7ad6b7169203331-01`,
    'x-ms-workflow-run-id': 'FORGED',
    'x-ms-invocation-id': FORGED_ID,
    'x-forwarded-host': 'forged.example',
    'x-http-method-override': 'POST',
    'content-encoding': 'gzip',
  };
}

function cases(): fc.Arbitrary<Case> {
  return fc.record({
    method: fc.constantFrom('POST', 'POST', 'POST', 'POST', 'PUT', 'DELETE'),
    caller: fc.constantFrom('Alice', 'Alice', 'Alice', undefined),
    target: fc.constantFrom('alice', 'alice', 'bob'),
    contentType: fc.constantFrom(
      ...['application/json', 'application/json', 'text/plain', 'application/octet-stream', undefined],
    ),
    isChunked: fc.boolean(),
    forgery: forgery(forgedHead(), PATHS.bob),
  });
}

/** What must come of a request, only by its true head, and by whether its body has members too many. */
function outcome({ method, caller, target, contentType, forgery: { members } }: Case): [number, string | undefined] {
  if (caller === undefined) return [401, 'InvalidAuthenticationToken'];
  if (method !== 'POST') return [405, 'MethodNotAllowed'];
  if (contentType !== 'application/json') return [415, 'UnsupportedMediaType'];
  if (members.length > 0) return [400, 'InvalidAttachment'];
  return target === 'alice' ? [201, undefined] : [403, 'CallerNotAllowed'];
}

function send({ method, caller, target, contentType, isChunked, forgery }: Case): Promise<RawAnswer> {
  const body = toBody(forgery.members, ATTACHMENT_ITEM);
  return sendRaw(site.url, {
    method,
    target: `/api/${PATHS[target]}${toQuery(forgery)}`,
    headers: [
      ...(caller === undefined ? [] : ['Authorization', bearers.alice]),
      ...(contentType === undefined ? [] : ['Content-Type', contentType]),
      ...(isChunked ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', String(body.length)]),
      ...['client-request-id', REAL_ID, 'x-ms-workflow-run-id', 'REAL'],
      ...['traceparent', `00-${REAL_TRACE}-b7ad6b7169203331-01`],
    ],
    body,
  });
}

async function lineOf({ headers }: RawAnswer): Promise<AppEvent> {
  return site.findEvent('request', ({ requestId }) => requestId === headers['x-ms-invocation-id']);
}

/** Forged headers would show here in those of the answer, in the log line, or in what went to Graph. */
const TRACES_OF_FORGERY = new RegExp([FORGED_ID, FORGED_TRACE, 'FORGED', 'forged\\.example', 'ImmutableId'].join('|'));

async function expectTrueHead(one: Case): Promise<void> {
  site.forget();
  const answer = await send(one);
  const [status, code] = outcome(one);

  expect([answer.status, errorCode(answer)]).toEqual([status, code]);
  expect(answer.headers['client-request-id']).toBe(REAL_ID);
  expect(answer.headers['x-ms-invocation-id']).toMatch(GUID);
  const line = await lineOf(answer);
  expect(line).toMatchObject({ status, clientRequestId: REAL_ID, workflowRunId: 'REAL' });
  expect(line['traceparent']).toContain(REAL_TRACE);
  expect(line['caller']).toBe(one.caller);
  expect(line['mailbox']).toBe(one.caller && `${one.target}@contoso.example`);
  const calls = site.graph.requests;
  expect(calls).toHaveLength(status === 201 ? 1 : 0);
  if (status === 201) expect(calls[0]?.path).toContain('/users/alice%40contoso.example/messages/AAMkAG1%3D/');
  const upstream = calls.map(({ method, path, headers }) => ({ method, path, headers }));
  const traces = JSON.stringify([answer.headers, line, upstream]);
  expect(traces).not.toMatch(TRACES_OF_FORGERY);
  expect(traces).not.toContain(bearers.bob);
}

test('no member of a body and no parameter of the query changes what the app takes for the head', async () => {
  await fc.assert(fc.asyncProperty(cases(), expectTrueHead), { numRuns: RUNS });
});

test.each([
  ['with Content-Length', false],
  ['chunked', true],
])('the whole head in one member, %s, is not believed', async (_, isChunked) => {
  for (const name of ['Headers', 'headers', 'HEADERS', 'Query', 'PATH']) {
    const forged: Forgery = { members: [[name, forgedHead()]], query: [[name, JSON.stringify(forgedHead())]] };
    const base = { method: 'POST', target: 'alice', contentType: 'text/plain', isChunked, forgery: forged } as const;
    await expectTrueHead({ ...base, caller: 'Alice' });
    await expectTrueHead({ ...base, caller: undefined });
    await expectTrueHead({
      ...base,
      caller: 'Alice',
      contentType: 'application/json',
      forgery: { ...forged, members: [] },
    });
  }
});

test('the address in the description is the one that was asked, whatever body and query say', async () => {
  const { host } = new URL(site.url);
  await fc.assert(
    fc.asyncProperty(forgery(forgedHead(), 'docs'), async (forged) => {
      const body = toBody(forged.members, {});
      const answer = await sendRaw(site.url, {
        target: `/api/openapi.json${toQuery(forged)}`,
        headers: ['Content-Type', 'application/json', 'Content-Length', String(body.length)],
        body,
      });

      expect(answer.status).toBe(200);
      const { servers }: { servers: { url: string }[] } = JSON.parse(answer.text);
      expect(new URL(servers[0]?.url ?? '').host).toBe(host);
    }),
    { numRuns: RUNS / 6 },
  );
});
