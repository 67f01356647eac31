import type { GraphErrorName } from '../../local/emulators/errors/namedErrors.ts';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { ATTACHMENT_INFO, expectGraphError, GUID, postJson, type Site, startSite } from '../support/site.ts';

const REQUEST_TIMEOUT_MS = 3_000;
const [messageId] = ADELE.items.message;

/** What becomes of each fault at Graph: the status, and the code of the error, or undefined where it is a session. */
const OUTCOMES = {
  status401: [502, 'GraphRejectedToken'],
  status403: [403, 'ErrorAccessDenied'],
  status404: [404, 'ErrorItemNotFound'],
  status409: [409, 'Conflict'],
  status412: [412, 'ErrorIrresolvableConflict'],
  status423: [423, 'ResourceLocked'],
  status429: [429, 'ApplicationThrottled'],
  status500: [502, 'GraphAnswerInvalid'],
  status502: [502, 'GraphAnswerInvalid'],
  status503: [503, 'serviceNotAvailable'],
  status504: [504, 'UnknownError'],
  html: [502, 'GraphAnswerInvalid'],
  html413: [413, 'GraphRefused'],
  html429: [429, 'GraphThrottled'],
  html502: [502, 'GraphAnswerInvalid'],
  html503: [503, 'GraphUnavailable'],
  redirect: [502, 'GraphAnswerInvalid'],
  empty: [502, 'GraphAnswerInvalid'],
  notJson: [502, 'GraphAnswerInvalid'],
  noUploadUrl: [502, 'GraphAnswerInvalid'],
  hangBeforeHeaders: [504, 'TimedOut'],
  hangInBody: [504, 'TimedOut'],
  resetBeforeHeaders: [502, 'GraphUnreachable'],
  resetAfterHeaders: [502, 'GraphAnswerInvalid'],
  tlsReset: [502, 'GraphUnreachable'],
  truncated: [502, 'GraphAnswerInvalid'],
  slowDrip: [504, 'TimedOut'],
  hugeBody: [502, 'GraphAnswerInvalid'],
  upperCaseKeys: [201, undefined],
  valueForm: [201, undefined],
  latin1Header: [201, undefined],
  utf8Header: [201, undefined],
} as const satisfies Record<GraphErrorName, readonly [number, string | undefined]>;

/** What may stand in an answer besides what is relayed of Graph's: the platform's own headers and those of the body. */
const HEADERS_OF_THE_PLATFORM = [
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'server',
  'transfer-encoding',
  'x-ms-invocation-id',
];
const OWN_HEADERS = ['cache-control', 'content-type'];
const RELAYED_HEADERS = ['client-request-id', 'request-id', 'retry-after', 'x-ms-ags-diagnostic'];

let site: Site;

beforeAll(async () => {
  site = await startSite({ settings: { REQUEST_TIMEOUT_MS: String(REQUEST_TIMEOUT_MS) } });
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

function openSession(id: string = messageId, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const path = `me/messages/${encodeURIComponent(id)}/attachments/createUploadSession`;
  return postJson(`${site.api}/v1.0/${path}`, undefined, headers);
}

function headerNames(response: Response): string[] {
  return [...response.headers.keys()].filter((name) => !HEADERS_OF_THE_PLATFORM.includes(name)).sort();
}

/** The emulator closes the connections that are idle, not those that no request has used yet: so all are used first. */
async function playHandshakeResets(): Promise<void> {
  await Promise.all(Array.from({ length: 4 }, () => openSession()));
  site.graph.play({ error: 'tlsReset', times: 1000 });
}

test.each(Object.entries(OUTCOMES))('answers in time when Graph plays %s', async (fault, [status, code]) => {
  if (fault === 'tlsReset') await playHandshakeResets();

  const response = await openSession(fault === 'tlsReset' ? messageId : `error=${fault}`);

  if (code === undefined) expect(response.status).toBe(status);
  else await expectGraphError(response, status, code);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect([...OWN_HEADERS, ...RELAYED_HEADERS]).toEqual(expect.arrayContaining(headerNames(response)));
});

test('relays of the headers of a session those that are listed, and no others', async () => {
  const response = await openSession();

  expect(headerNames(response)).toEqual([
    'cache-control',
    'client-request-id',
    'content-type',
    'request-id',
    'x-ms-ags-diagnostic',
  ]);
  expect(response.headers.get('request-id')).toBe(site.graph.requests[0]?.requestId);
  expect(response.headers.get('client-request-id')).toBe(site.graph.requests[0]?.headers['client-request-id']);
  expect(response.headers.get('x-ms-ags-diagnostic')).toContain('"DataCenter":"Emulator"');
});

test.each(['latin1Header', 'utf8Header'])(
  'leaves out a header of Graph that is not plain ASCII (%s)',
  async (fault) => {
    const response = await openSession(`error=${fault}`);

    expect(headerNames(response)).toEqual(['cache-control', 'client-request-id', 'content-type', 'request-id']);
    expect(await response.json()).toMatchObject({ uploadUrl: expect.any(String) });
  },
);

test.each([
  ['0', '0'],
  ['9999', '9999'],
  ['garbage', 'soon'],
  ['date', expect.stringMatching(/GMT$/)],
  ['none', null],
])('relays the Retry-After of a 429: %s', async (retryAfter, relayed) => {
  const response = await openSession(`error=status429;retry-after=${retryAfter}`);

  await expectGraphError(response, 429, 'ApplicationThrottled');
  expect(response.headers.get('retry-after')).toEqual(relayed);
});

test("relays Graph's error body unchanged, with the ids of Graph", async () => {
  const response = await openSession('AAMkAGunknown=');

  expect(response.status).toBe(404);
  expect(await response.json()).toEqual({
    error: {
      code: 'ErrorItemNotFound',
      message: 'The specified object was not found in the store.',
      innerError: {
        date: expect.any(String),
        'request-id': site.graph.requests.at(-1)?.requestId,
        'client-request-id': site.graph.requests.at(-1)?.headers['client-request-id'],
      },
    },
  });
});

test('relays the 200 of a To Do session as 200', async () => {
  site.graph.settings.appOnlyFamilies = 'all';
  const { todoTaskList, todoTask } = ADELE.items;
  const path = `me/todo/lists/${todoTaskList[0]}/tasks/${todoTask[0]}/attachments/createUploadSession`;

  const response = await postJson(`${site.api}/v1.0/${path}`, ATTACHMENT_INFO);

  expect(response.status).toBe(200);
  expect(await response.json()).toEqual(expect.objectContaining({ uploadUrl: expect.stringMatching(/^https:/) }));
});

test('relays what Graph answers for families without app-only support', async () => {
  const { todoTaskList, todoTask } = ADELE.items;
  const path = `me/todo/lists/${todoTaskList[0]}/tasks/${todoTask[0]}/attachments/createUploadSession`;

  const response = await postJson(`${site.api}/v1.0/${path}`, ATTACHMENT_INFO);

  await expectGraphError(response, 403, 'ErrorAccessDenied');
});

test('relays the older form with a member "value" unchanged', async () => {
  const response = await openSession('error=valueForm');

  expect(await response.json()).toEqual({
    value: { uploadUrl: expect.any(String), expirationDateTime: expect.any(String), nextExpectedRanges: ['0-'] },
  });
});

test('forwards a client-request-id that is a GUID, and gives it back', async () => {
  const id = '7b0e1a52-3f7e-4b9c-9d52-0b8f3c1de001';

  const response = await openSession(messageId, { 'client-request-id': id });

  expect(site.graph.requests[0]?.headers['client-request-id']).toBe(id);
  expect(response.headers.get('client-request-id')).toBe(id);
});

test.each(['', 'none', '7b0e1a52-3f7e-4b9c-9d52-0b8f3c1de001x', '{7b0e1a52-3f7e-4b9c-9d52-0b8f3c1de001}', 'a,b'])(
  'makes a client-request-id in place of "%s"',
  async (id) => {
    const response = await openSession(messageId, { 'client-request-id': id });

    const made = site.graph.requests[0]?.headers['client-request-id'];
    expect(made).toEqual(expect.stringMatching(GUID));
    expect(id).not.toContain(made);
    expect(response.headers.get('client-request-id')).toBe(made);
  },
);

test.each([
  ['IdType="ImmutableId"', 'IdType="ImmutableId"'],
  ['respond-async, IdType="ImmutableId"', 'IdType="ImmutableId"'],
  ['idtype=immutableid', 'IdType="ImmutableId"'],
  ['IdType="Default"', undefined],
  ['return=minimal', undefined],
  ['outlook.timezone="UTC"', undefined],
])('forwards of Prefer: %s only the immutable id', async (prefer, forwarded) => {
  await openSession(messageId, { prefer });

  expect(site.graph.requests[0]?.headers['prefer']).toBe(forwarded);
});

test("sends Graph nothing else of the caller's headers", async () => {
  const theCallers = 'from-the-caller';
  await openSession(messageId, {
    authorization: `Bearer ${theCallers}`,
    cookie: `session=${theCallers}`,
    'x-functions-key': theCallers,
    'x-ms-client-principal-name': theCallers,
    'x-ms-throttle-priority': theCallers,
    'x-forwarded-for': theCallers,
    'user-agent': theCallers,
    'accept-language': theCallers,
    'content-type': `application/json; profile=${theCallers}`,
    consistencylevel: theCallers,
    'x-anything': theCallers,
  });

  const { headers } = site.graph.requests[0] ?? {};
  expect(JSON.stringify(headers)).not.toContain(theCallers);
  expect(Object.keys(headers ?? {}).sort()).toEqual([
    'accept',
    'authorization',
    'client-request-id',
    'connection',
    'content-length',
    'content-type',
    'host',
    'traceparent',
  ]);
});
