import { createHash, randomBytes } from 'node:crypto';
import { Ajv } from 'ajv';
import { ADELE, MEGAN } from '../../local/emulators/graph/seed.ts';
import schema from '../fixtures/logic-apps/workflowDefinition.schema.json' with { type: 'json' };
import type { FrontFault } from '../support/tlsFront.ts';
import {
  PLANS,
  type Plan,
  readDefinition,
  readExample,
  WORKFLOWS,
  type WorkflowName,
  withFault,
} from '../support/workflow/readDefinition.ts';
import type { WorkflowRun } from '../support/workflow/runWorkflow.ts';
import type { EngineHabits } from '../support/workflow/sendAction.ts';
import {
  type Credentials,
  type StoredFile,
  startWorkflowSite,
  type WorkflowSite,
} from '../support/workflow/workflowSite.ts';

const DEFINITIONS = PLANS.flatMap((plan) => WORKFLOWS.map((name) => [plan, name] as const));
const isDefinition = new Ajv({ allErrors: true, strictTypes: false }).compile(schema);
const CHUNK_BYTES = 3_932_160;

function pdf(sizeBytes: number): StoredFile {
  return { bytes: randomBytes(sizeBytes), contentType: 'application/pdf' };
}

const FILES: Readonly<Record<string, StoredFile>> = {
  'reports/1.pdf': pdf(1),
  'reports/1024.pdf': pdf(1024),
  'reports/2000000.pdf': pdf(2_000_000),
  'reports/5242880.pdf': pdf(5_242_880),
  'reports/20000000.pdf': pdf(20_000_000),
  'reports/notes.txt': { bytes: Buffer.from('Zoë: 2 × 3\n'.repeat(200)), contentType: 'text/plain; charset=utf-8' },
  'reports/table.json': {
    bytes: Buffer.from(JSON.stringify({ rows: 'x'.repeat(2000) })),
    contentType: 'application/json',
  },
};

function triggerBody(blob: string) {
  return {
    mailbox: ADELE.userPrincipalName,
    to: MEGAN.userPrincipalName,
    subject: 'The report',
    fileName: 'Jahresbericht für Zoë & co.pdf',
    blob,
  };
}

describe.each(DEFINITIONS)('the definition for %s, %s,', (plan, name) => {
  const definition = readDefinition(plan, name);
  const text = JSON.stringify(definition.actions);

  test('fits the schema of workflow definitions', () => {
    isDefinition(definition);

    expect(isDefinition.errors ?? []).toEqual([]);
  });

  test('refers only to actions, parameters and connections that are there', () => {
    const { actions, parameters = readExample('standard/parameters.json') as object } = definition;

    const named = [...text.matchAll(/(?:body|outputs)\('([^']+)'\)/g)].map(([, action]) => action);
    const awaited = Object.values(actions).flatMap(({ runAfter }) => Object.keys(runAfter));
    expect(Object.keys(actions)).toEqual(expect.arrayContaining([...named, ...awaited]));
    const used = [...text.matchAll(/parameters\('([^']+)'\)/g)].map(([, parameter]) => parameter);
    expect(Object.keys(parameters)).toEqual(expect.arrayContaining(used));
    const { managedApiConnections } = readExample('standard/connections.json') as { managedApiConnections: object };
    const connections = [...text.matchAll(/"referenceName":"([^"]+)"/g)].map(([, connection]) => connection);
    expect(Object.keys(managedApiConnections)).toEqual(expect.arrayContaining(connections));
  });

  test('attaches the file with one action', () => {
    const calls = Object.values(definition.actions).filter(({ inputs }) => JSON.stringify(inputs).includes('proxyUrl'));

    expect(calls).toHaveLength(1);
  });

  test('secures what is handed a key, a signed address or the file, and what gives the last two', () => {
    const actions = Object.entries(definition.actions).map(([action, { inputs, runtimeConfiguration }]) => ({
      action,
      isHanded: /Key'\)|WebUrl|@body\('Get_file'\)/.test(JSON.stringify(inputs)),
      secured: runtimeConfiguration?.secureData?.properties ?? [],
    }));

    const unsecured = actions.filter(({ isHanded, secured }) => isHanded && !secured.includes('inputs'));
    const given = actions.filter(({ action }) => action === 'Get_file' || action === 'Create_address');
    expect(unsecured).toEqual([]);
    expect(given.map(({ secured }) => secured)).toEqual([['outputs']]);
  });

  test('repeats nothing that would do harm a second time', () => {
    const harmful = Object.entries(definition.actions).filter(([action]) => /^(Create_draft|Send_draft)$/.test(action));

    for (const [, { inputs }] of harmful) expect(inputs).toMatchObject({ retryPolicy: { type: 'none' } });
    expect(harmful).not.toEqual([]);
  });
});

test.each(WORKFLOWS)('%s has the same actions in both plans, but for the naming of connections', (name) => {
  const consumption = JSON.stringify(readDefinition('Consumption', name).actions);
  const standard = JSON.stringify(readDefinition('Standard', name).actions);

  const renamed = standard.replaceAll(
    /"referenceName":"([^"]+)"/g,
    `"name":"@parameters('$connections')['$1']['connectionId']"`,
  );
  expect(renamed).toBe(consumption);
});

test.each([
  ['a misspelt member', 'attach-with-function-key', '"retryPolicy"', '"retyPolicy"'],
  ['a misspelt part of secureData', 'attach-with-function-key', '["inputs"]', '["input"]'],
  ['an action without an address', 'attach-with-function-key', '"uri"', '"url"'],
  ['an unknown kind of action', 'send-with-outlook', '"type":"ApiConnection"', '"type":"ApiConnections"'],
  ['a header that the engine drops', 'attach-with-function-key', '"x-functions-key"', '"Content-Range"'],
  [
    'a default value for a secret',
    'attach-with-function-key',
    '"type":"SecureString"',
    '"type":"SecureString","defaultValue":"x"',
  ],
  [
    'chunks of what an expression has made',
    'attach-with-function-key',
    `"@body('Get_file')"`,
    `"@string(body('Get_file'))"`,
  ],
  ['an unknown way to transfer', 'attach-with-function-key', '"Chunked"', '"InChunks"'],
  ['a connector without a path', 'send-with-outlook', '"path":"/Draft"', '"uri":"/Draft"'],
] as const)('the schema sees %s', (_what, name, from, to) => {
  expect(isDefinition(withFault(readDefinition('Consumption', name), from, to))).toBe(false);
});

describe.each([
  ['managed identity', 'attach-with-managed-identity'],
  ['function key', 'attach-with-function-key'],
] as const satisfies (readonly [Credentials, WorkflowName])[])('a workflow with a %s', (credentials, name) => {
  let workflows: WorkflowSite;

  beforeAll(async () => {
    workflows = await startWorkflowSite(credentials, FILES);
  });
  beforeEach(() => workflows.reset());
  afterAll(() => workflows.close());

  const sizes = [
    ['Consumption', 1],
    ['Consumption', 1024],
    ['Consumption', 2_000_000],
    ['Consumption', 5_242_880],
    ['Standard', 20_000_000],
  ] as const;
  test.each(sizes)('attaches a file to a new draft (%s, %d bytes)', async (plan, size) => {
    const blob = `reports/${size}.pdf`;

    const run = await workflows.run(readDefinition(plan, name), triggerBody(blob));

    expectAttached(workflows, run, blob);
    const requests = workflows.front.requests.map(({ method }) => method);
    expect(requests).toEqual(['POST', ...Array(size > 1024 ? Math.ceil(size / CHUNK_BYTES) : 0).fill('PATCH')]);
  });

  test.each(['reports/notes.txt', 'reports/table.json'])('attaches %s as it is, text and JSON too', async (blob) => {
    const run = await workflows.run(readDefinition('Standard', name), triggerBody(blob));

    expectAttached(workflows, run, blob);
  });

  test('leaves neither key nor file in the run history', async () => {
    const run = await workflows.run(readDefinition('Consumption', name), triggerBody('reports/5242880.pdf'));

    const history = JSON.stringify(run.history);
    expect(run.status).toBe('Succeeded');
    expect(history).not.toMatch(/authtoken|AttachmentSessions|uploadSessions/i);
    expect(history).not.toContain(workflows.key);
    expect(history.length).toBeLessThan(10_000);
  });

  test('is named in the log of the proxy by its run id, and none of its headers goes on', async () => {
    const run = await workflows.run(readDefinition('Consumption', name), triggerBody('reports/5242880.pdf'));

    const isOfRun = (operation: string) => (line: Readonly<Record<string, unknown>>) =>
      line['workflowRunId'] === run.runId && line['operation'] === operation;
    const opening = await workflows.site.findEvent('request', isOfRun('attach'));
    const chunk = await workflows.site.findEvent('request', isOfRun('putRange'));
    expect([opening, chunk]).toEqual(
      [1, 2].map(() => expect.objectContaining({ status: 200, upload: chunk['upload'] })),
    );
    const forwarded = workflows.site.graph.requests.filter(({ path }) => /attachments|AttachmentSessions/i.test(path));
    expect(forwarded.length).toBeGreaterThan(2);
    const headers = forwarded.map(({ headers }) => headers);
    expect(headers.flatMap((each) => Object.keys(each)).filter((header) => header.startsWith('x-ms-'))).toEqual([]);
    expect(JSON.stringify(headers)).not.toContain('azure-logic-apps');
    const puts = forwarded.filter(({ method }) => method === 'PUT');
    expect(puts.flatMap(({ headers }) => headers.authorization ?? [])).toEqual([]);
  });

  test('for a mailbox that the policy does not admit learns that', async () => {
    const run = await workflows.run(readDefinition('Standard', name), {
      ...triggerBody('reports/5242880.pdf'),
      mailbox: MEGAN.userPrincipalName,
    });

    const { code, message } = errorOf(run);
    expect(code).toBe('CallerNotAllowed');
    expect(message).toContain("to a message of mailbox 'megan@contoso.example'.");
  });

  test.each([
    ['the address of an upload session', '/attachments?name=', '/attachments/createUploadSession?name='],
    ['attachments, where nothing names the file', '/attachments?name=', '/attachments?x='],
  ])('that sends JSON in chunks to %s learns which switch to turn off', async (_what, from, to) => {
    const definition = withFault(readDefinition('Consumption', name), from, to);

    const run = await workflows.run(definition, triggerBody('reports/table.json'));

    const { code, message } = errorOf(run);
    expect(code).toBe('ChunkingNotSupported');
    expect(message).toContain("turn off 'Allow chunking' in the settings of the HTTP action");
  });

  test('that names no file learns how to', async () => {
    const definition = withFault(readDefinition('Consumption', name), '/attachments?name=', '/attachments?x=');

    const run = await workflows.run(definition, triggerBody('reports/5242880.pdf'));

    expect(errorOf(run).message).toContain("'name' is missing: say ?name= or Content-Disposition");
  });
});

describe('a workflow whose requests go astray', () => {
  let workflows: WorkflowSite;

  beforeAll(async () => {
    workflows = await startWorkflowSite('function key', FILES);
  });
  beforeEach(() => workflows.reset());
  afterAll(() => workflows.close());

  async function run(blob: string, habits?: EngineHabits): Promise<void> {
    const definition = readDefinition('Consumption', 'attach-with-function-key');
    expectAttached(workflows, await workflows.run(definition, triggerBody(blob), habits), blob);
  }

  const kinds: readonly (readonly [string, FrontFault['kind']])[] = [
    ['answers 503 in place of', 'answers503'],
    ['answers 503 after', 'answers503Afterwards'],
    ['loses the answer to', 'losesAnswer'],
  ];
  const places = [
    ['the opening', 'reports/5242880.pdf', 'POST', 1],
    ['the first chunk', 'reports/20000000.pdf', 'PATCH', 1],
    ['a chunk in between', 'reports/20000000.pdf', 'PATCH', 3],
    ['the last chunk', 'reports/5242880.pdf', 'PATCH', 2],
    ['the only chunk', 'reports/2000000.pdf', 'PATCH', 1],
    ['the only request', 'reports/1.pdf', 'POST', 1],
  ] as const;
  test.each(kinds.flatMap(([words, kind]) => places.map(([place, ...at]) => [words, place, kind, ...at] as const)))(
    'attaches once where the front %s %s',
    async (_words, _place, kind, blob, method, nth) => {
      workflows.front.play({ kind, method, nth });

      await run(blob);
    },
  );

  test.each([
    ['requests', 'reports/2000000.pdf'],
    ['requests', 'reports/20000000.pdf'],
    ['transfers', 'reports/2000000.pdf'],
    ['transfers', 'reports/20000000.pdf'],
  ] as const)('attaches once where the engine sends its %s twice (%s)', async (sendsTwice, blob) => {
    await run(blob, { sendsTwice });
  });

  test('attaches where the engine writes its ranges as the documentation does', async () => {
    await run('reports/5242880.pdf', { rangeUnit: 'bytes=' });
  });

  test.each(['status503', 'status429', 'resetAfterCommit', 'resetMidBody'] as const)(
    'attaches once where Outlook plays %s on a piece',
    async (fault) => {
      workflows.site.graph.play({ error: fault, on: 'upload' });

      await run('reports/20000000.pdf');
    },
  );

  test('fails with the words of Graph where the draft is gone', async () => {
    workflows.site.graph.play({ error: 'status404', on: 'create', times: 3 }); // It is asked for three times.
    const definition = readDefinition('Consumption', 'attach-with-function-key');

    const failed = await workflows.run(definition, triggerBody('reports/5242880.pdf'));

    expect(errorOf(failed)).toMatchObject({ code: 'ErrorItemNotFound' });
  });

  test('fails with the status alone where the key is wrong, as the platform answers without words', async () => {
    const definition = withFault(
      readDefinition('Standard', 'attach-with-function-key'),
      "@parameters('proxyKey')",
      'no key',
    );

    const { history } = await workflows.run(definition, triggerBody('reports/5242880.pdf'));

    expect(history['Attach_file']).toMatchObject({ status: 'Failed', outputs: { statusCode: 401 } });
  });
});

describe.each(PLANS)('beside the connectors of Microsoft (%s)', (plan: Plan) => {
  let workflows: WorkflowSite;

  beforeAll(async () => {
    workflows = await startWorkflowSite('managed identity', FILES);
  });
  beforeEach(() => workflows.reset());
  afterAll(() => workflows.close());

  test('the draft of the Outlook connector is sent with the file, and the workflow needs no right at Graph', async () => {
    const blob = 'reports/5242880.pdf';

    const run = await workflows.run(readDefinition(plan, 'send-with-outlook'), triggerBody(blob));

    expectAttached(workflows, run, blob);
    expect(workflows.sent).toEqual([draftIdOf(run)]);
    expect(new Set(workflows.audiences)).toEqual(new Set(['https://storage.azure.com/', 'api://upload-sessions']));
  });

  test('the draft is not sent without the file', async () => {
    workflows.site.graph.play({ error: 'status403', on: 'create' });

    const run = await workflows.run(readDefinition(plan, 'send-with-outlook'), triggerBody('reports/5242880.pdf'));

    expect(run.history['Send_draft']).toEqual({ status: 'Skipped' });
    expect(workflows.sent).toEqual([]);
  });

  test.each(['reports/2000000.pdf', 'reports/20000000.pdf'])('%s is attached by its address', async (blob) => {
    const run = await workflows.run(readDefinition(plan, 'attach-from-address'), triggerBody(blob));

    expectAttached(workflows, run, blob);
    expect(workflows.front.requests.map(({ method }) => method)).toEqual(['POST']);
    expect(JSON.stringify(run.history)).not.toContain(workflows.signature);
    expect(JSON.stringify(workflows.site.lines)).not.toContain(workflows.signature);
  });

  test('a file outside the sources of the policy is not attached, and the maker learns that', async () => {
    const run = await workflows.run(readDefinition(plan, 'attach-from-address'), triggerBody('private/1.pdf'));

    expect(errorOf(run)).toMatchObject({
      code: 'SourceNotAllowed',
      message: expect.stringContaining('from that address'),
    });
  });
});

/** The run has attached exactly this file to its draft, and the action's output is the attachment. */
function expectAttached(workflows: WorkflowSite, run: WorkflowRun, blob: string): void {
  const { bytes, contentType } = FILES[blob] ?? { bytes: Buffer.alloc(0), contentType: '' };
  const { error, outputs } = run.history['Attach_file'] ?? {};
  expect([run.status, error, outputs]).toEqual(['Succeeded', undefined, expect.anything()]);
  const attachments = workflows.site.graph.attachments(ADELE.userPrincipalName, draftIdOf(run));
  const { fileName: name } = triggerBody(blob);
  expect(attachments).toEqual([
    expect.objectContaining({ name, contentType, size: bytes.length, sha256: sha256(bytes) }),
  ]);
  expect(outputs?.body).toMatchObject({ id: attachments[0]?.id, name, contentType });
}

function draftIdOf({ history }: WorkflowRun): string {
  const { id } = (history['Create_draft']?.outputs?.body ?? {}) as { readonly id?: string };
  return id ?? '';
}

/** The proxy's or Graph's own error, as the run history shows it. */
function errorOf({ status, history }: WorkflowRun): { readonly code: string; readonly message: string } {
  expect([status, history['Attach_file']?.status]).toEqual(['Failed', 'Failed']);
  const body = history['Attach_file']?.outputs?.body as {
    readonly error: { readonly code: string; readonly message: string };
  };
  return body.error;
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
