import { expectGraphError, postJson, type Site, startSite } from '../support/site.ts';

/** One request per HTTP function; the address of an upload stands for any. */
const REQUESTS: readonly (readonly [name: string, method: string, path: string])[] = [
  ['apiDocs', 'GET', 'docs'],
  ['apiDocsViewer', 'GET', 'docs/viewer.js'],
  ['apiOpenapi', 'GET', 'openapi.json'],
  ['apiSwagger', 'GET', 'swagger.json'],
  ['health', 'GET', 'health'],
  ['healthReady', 'GET', 'health/ready'],
  ['job', 'GET', 'jobs/any'],
  ['uploadSession', 'PUT', 'uploadSessions/any'],
  ['zGraphPaths', 'POST', 'me/messages/any/attachments/createUploadSession'],
];

async function withSite(missingMembers: readonly string[], use: (site: Site) => Promise<void>): Promise<void> {
  const site = await startSite({ host: { missingMembers } });
  try {
    await use(site);
  } finally {
    await site.close();
  }
}

describe.each([
  '@azure/functions-core.getProgrammingModel',
  '@azure/functions-core.setProgrammingModel',
  '@azure/functions-core.registerHook',
  'ProgrammingModel.name',
  'ProgrammingModel.version',
  'ProgrammingModel.getInvocationModel',
  'ProgrammingModel.getCapabilities',
  'CoreInvocationContext.invocationId',
  'CoreInvocationContext.request',
  'CoreInvocationContext.log',
])('a platform without %s', (member) => {
  test('gets 503 from every HTTP function, and the log names the member', async () => {
    await withSite([member], async (site) => {
      expect(site.host.functions.map(({ name }) => name)).toEqual(REQUESTS.map(([name]) => name));

      for (const [, method, path] of REQUESTS) {
        const body = method === 'GET' ? null : '{}';
        await expectGraphError(await fetch(`${site.api}/${path}`, { method, body }), 503, 'PlatformNotSupported');
      }

      expect(site.events('platformNotSupported')).toEqual([{ event: 'platformNotSupported', missing: [member] }]);
    });
  });
});

test('a platform without registerFunction has no functions: the host answers, and the log names the member', async () => {
  await withSite(['@azure/functions-core.registerFunction'], async (site) => {
    expect(site.host.functions).toEqual([]);
    expect((await fetch(`${site.api}/health`)).status).toBe(404);
    const missing = ['@azure/functions-core.registerFunction'];
    expect(site.events('platformNotSupported')).toEqual([{ event: 'platformNotSupported', missing }]);
  });
});

test('a platform that does not say of which kind a function is gets no answer of the app, and no hanging request', async () => {
  await withSite(['CoreInvocationContext.metadata'], async (site) => {
    expect((await fetch(`${site.api}/health`)).status).toBeGreaterThanOrEqual(500);
    await site.findEvent('platformNotSupported');
  });
});

test.each(['version', 'hostVersion', 'log', 'Disposable'])(
  'a platform without %s, which the app does not use, is supported',
  async (name) => {
    await withSite([`@azure/functions-core.${name}`], async (site) => {
      expect((await fetch(`${site.api}/health`)).status).toBe(200);
      expect(site.events('platformNotSupported')).toEqual([]);
    });
  },
);

test('takes route values from the URL if the invocation has none', async () => {
  const PATHS = [
    'me/messages/AAMkAGadele-message-1=/attachments/createUploadSession',
    'V1.0/Users/adele%40contoso.example/messages/AAMkAGadele-message-1%3D/attachments/createUploadSession',
    "users('adele@contoso.example')/messages('AAMkAGadele-message-1=')/attachments/createUploadSession",
    'users/a%2Fb/messages/x/attachments/createUploadSession',
    'users/100%25/messages/x/attachments/createUploadSession',
    'no/such/path?path=me/messages/x/attachments/createUploadSession',
    'uploadSessions/unknown',
  ];
  const outcomes = async (site: Site): Promise<readonly Outcome[]> => {
    const answers = await Promise.all(PATHS.map((path) => postJson(`${site.api}/${path}`)));
    return Promise.all(answers.map(async (answer) => ({ status: answer.status, error: errorOf(await answer.json()) })));
  };
  let expected: readonly Outcome[] = [];
  await withSite([], async (site) => {
    expected = await outcomes(site);
    expect(expected.map(({ status }) => status)).toEqual([201, 201, 201, 400, 400, 404, 405]);
  });
  await withSite(['request.triggerMetadata'], async (site) => expect(await outcomes(site)).toEqual(expected));
});

interface Outcome {
  readonly status: number;
  readonly error: unknown;
}

/** Code and message of an error; undefined for another body. */
function errorOf(body: unknown): unknown {
  const { code, message } = Object(Object(body).error);
  return [code, message];
}
