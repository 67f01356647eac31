import { createHash, randomBytes } from 'node:crypto';
import { Ajv } from 'ajv';
import { ADELE, MEGAN } from '../../local/emulators/seed.ts';
import schema from '../fixtures/logic-apps/workflowDefinition.schema.json' with { type: 'json' };
import {
  DEFINITION_FILES,
  type DefinitionName,
  readDefinition,
  readExample,
  type WorkflowDefinition,
} from '../support/workflow/readDefinition.ts';
import { type Credentials, startWorkflowSite, type WorkflowSite } from '../support/workflow/workflowSite.ts';

const NAMES = Object.keys(DEFINITION_FILES) as DefinitionName[];
const CREDENTIALS: readonly Credentials[] = ['managed identity', 'function key'];
const isDefinition = new Ajv({ allErrors: true, strictTypes: false }).compile(schema);

const FILE = randomBytes(9_000_001);
const TRIGGER = {
  mailbox: ADELE.userPrincipalName,
  to: MEGAN.userPrincipalName,
  subject: 'The report',
  fileName: 'year report & plan.pdf',
  blob: 'reports/2026.pdf',
  size: FILE.length,
};

describe.each(NAMES)('the definition for %s', (name) => {
  test('fits the schema of workflow definitions', () => {
    isDefinition(readDefinition(name));

    expect(isDefinition.errors ?? []).toEqual([]);
  });

  test('refers only to actions and parameters that are there', () => {
    const { actions, parameters = readExample('standard/parameters.json') as object } = readDefinition(name);
    const text = JSON.stringify(actions);

    const named = [...text.matchAll(/(?:body|outputs)\('([^']+)'\)/g)].map(([, action]) => action);
    const awaited = Object.values(actions).flatMap(({ runAfter }) => Object.keys(runAfter));
    expect(Object.keys(actions)).toEqual(expect.arrayContaining([...named, ...awaited]));
    const used = [...text.matchAll(/parameters\('([^']+)'\)/g)].map(([, parameter]) => parameter);
    expect(Object.keys(parameters)).toEqual(expect.arrayContaining(used));
  });

  test('secures the inputs of every action that is handed an uploadUrl or a key, and the answer with the uploadUrl', () => {
    const { actions } = readDefinition(name);

    const secured = Object.entries(actions).map(([action, { inputs, runtimeConfiguration }]) => ({
      action,
      isHanded: /uploadUrl'|Key'\)/.test(JSON.stringify(inputs)),
      properties: runtimeConfiguration?.secureData?.properties ?? [],
    }));
    expect(secured.filter(({ isHanded, properties }) => isHanded && !properties.includes('inputs'))).toEqual([]);
    expect(secured.filter(({ isHanded }) => isHanded)).not.toEqual([]);
    expect(actions['Open_upload_session']?.runtimeConfiguration?.secureData?.properties).toEqual(['inputs', 'outputs']);
  });

  test.each(['Create_draft', 'Upload_file'])('does not repeat %s, which a second time would do harm', (action) => {
    expect(readDefinition(name).actions[action]?.inputs).toMatchObject({ retryPolicy: { type: 'none' } });
  });
});

test.each(['managed identity', 'function key'] as const)(
  'has the same actions in both plans with a %s',
  (credentials) => {
    const consumption = readDefinition(`Consumption, ${credentials}`);
    const standard = readDefinition(`Standard, ${credentials}`);

    expect(standard.actions).toEqual(consumption.actions);
  },
);

/** The definition with a fault that a maker could make: `from` must be in it. */
function withFault(name: DefinitionName, from: string, to: string): WorkflowDefinition {
  const text = JSON.stringify(readDefinition(name));
  if (!text.includes(from)) throw new Error(`The definition does not hold ${from}.`);
  return JSON.parse(text.replace(from, to));
}

test.each([
  ['a misspelt member', '"retryPolicy"', '"retyPolicy"'],
  ['a misspelt part of secureData', '["inputs","outputs"]', '["inputs","output"]'],
  ['an action without an address', '"uri"', '"url"'],
  ['an unknown kind of action', '"type":"Compose"', '"type":"Composer"'],
  ['a header that the engine drops', '"x-upload-size"', '"Content-Range"'],
  ['a default value for a secret', '"type":"SecureString"', '"type":"SecureString","defaultValue":"x"'],
  ['a duration that is none', '"PT5M"', '"5M"'],
])('the schema sees %s', (_what, from, to) => {
  expect(isDefinition(withFault('Consumption, function key', from, to))).toBe(false);
});

describe.each(CREDENTIALS)('a workflow with a %s', (credentials) => {
  let workflows: WorkflowSite;

  beforeAll(async () => {
    workflows = await startWorkflowSite(credentials, { 'reports/2026.pdf': FILE });
  });
  beforeEach(() => workflows.site.graph.reset());
  afterAll(() => workflows.close());

  test.each(['Consumption', 'Standard'] as const)('attaches the file to a new draft (%s)', async (plan) => {
    const run = await workflows.run(readDefinition(`${plan}, ${credentials}`), TRIGGER);

    expect(run).toMatchObject({ status: 'Succeeded', error: undefined });
    const draftId = String(readOutput(run.history['Create_draft'], 'id'));
    const [attachment, ...more] = workflows.site.graph.attachments(ADELE.userPrincipalName, draftId);
    expect(attachment).toMatchObject({ name: TRIGGER.fileName, size: FILE.length, sha256: sha256(FILE) });
    expect(more).toEqual([]);
    expect(readOutput(run.history['Upload_file'], 'attachmentId')).toBe(attachment?.id);
  });

  test('leaves neither uploadUrl nor key nor file in the run history', async () => {
    const run = await workflows.run(readDefinition(`Consumption, ${credentials}`), TRIGGER);

    const history = JSON.stringify(run.history);
    expect(run.status).toBe('Succeeded');
    expect(history).not.toMatch(/authtoken|AttachmentSessions/i);
    expect(history).not.toContain(workflows.key);
    expect(history.length).toBeLessThan(10_000);
  });

  test('is named in the log of the proxy by its run id, and none of its headers reaches Graph', async () => {
    const run = await workflows.run(readDefinition(`Consumption, ${credentials}`), TRIGGER);

    const line = await workflows.site.findEvent('request', ({ workflowRunId }) => workflowRunId === run.runId);
    expect(line).toMatchObject({ status: 201, caller: expect.any(String) });
    const forwarded = workflows.site.graph.requests.filter(({ path }) => path.endsWith('/createUploadSession'));
    expect(forwarded).toHaveLength(1);
    expect(Object.keys(forwarded[0]?.headers ?? {}).filter((header) => header.startsWith('x-ms-'))).toEqual([]);
    expect(JSON.stringify(forwarded[0]?.headers)).not.toContain('azure-logic-apps');
  });

  const attachmentItem = '"AttachmentItem":{';
  test.each([
    [
      'forgets the wrapper',
      '"body":{"AttachmentItem":{"attachmentType":"file","name":"@triggerBody()?[\'fileName\']","size":"@int(triggerBody()?[\'size\'])"}}',
      '"body":{"Attachment":{"name":"@triggerBody()?[\'fileName\']"}}',
      "'Attachment' is not a member here. Did you mean 'AttachmentItem'?",
    ],
    [
      'misspells a member',
      `${attachmentItem}"attachmentType"`,
      `${attachmentItem}"atachmentType"`,
      "Did you mean 'attachmentType'?",
    ],
    [
      'sends another type of attachment',
      '"attachmentType":"file"',
      '"attachmentType":"item"',
      "Only 'file' can be uploaded through a session.",
    ],
    ['leaves out the size', ',"size":"@int(triggerBody()?[\'size\'])"', '', "'size' is missing."],
    [
      'sends the size as text',
      '"@int(triggerBody()?[\'size\'])"',
      '"@{triggerBody()?[\'size\']}"',
      "'size' must be integer, not string. Send the number without quotes.",
    ],
  ])('that %s ends with words that say so', async (_what, from, to, told) => {
    const run = await workflows.run(withFault(`Consumption, ${credentials}`, from, to), TRIGGER);

    expect(run.status).toBe('Failed');
    expect(run.error?.code).toBe('InvalidAttachment');
    expect(run.error?.message).toMatch(/^The body does not describe an attachment for an upload session: /);
    expect(run.error?.message).toContain(told);
    expect(run.history['Upload_file']?.status).toBe('Skipped');
  });

  test('for a mailbox that the policy does not admit ends with words that say so', async () => {
    const run = await workflows.run(readDefinition(`Standard, ${credentials}`), {
      ...TRIGGER,
      mailbox: MEGAN.userPrincipalName,
    });

    expect(run.error?.code).toBe('CallerNotAllowed');
    expect(run.error?.message).toContain('This caller may not attach a file');
    expect(run.error?.message).toContain("to a message of mailbox 'megan@contoso.example'.");
  });

  test('that declares another size than the file has ends with words that say so', async () => {
    const run = await workflows.run(readDefinition(`Standard, ${credentials}`), { ...TRIGGER, size: FILE.length + 1 });

    expect(run.status).toBe('Failed');
    expect(readOutput(run.history['Upload_file'], 'error')).toEqual({
      code: 'UploadFailed',
      message: 'The file has 9000001 bytes, x-upload-size says 9000002.',
    });
  });
});

describe('with two keys', () => {
  let workflows: WorkflowSite;

  beforeAll(async () => {
    workflows = await startWorkflowSite('function key', { 'reports/2026.pdf': FILE });
  });
  beforeEach(() => workflows.site.graph.reset());
  afterAll(() => workflows.close());

  test('a wrong one ends with words of the workflow, as the platform answers without any', async () => {
    const definition = withFault('Standard, function key', "@parameters('proxyKey')", 'no key');

    const run = await workflows.run(definition, TRIGGER);

    expect(run.error).toEqual({
      code: 'NoErrorBody',
      message: 'The proxy answered 401 without an error text. 401: the key or the identity is not accepted. ',
    });
  });

  test('an upload that Outlook breaks off fails the run, without the uploadUrl in its words', async () => {
    workflows.site.graph.play({ fault: 'status503', on: 'upload' });

    const run = await workflows.run(readDefinition('Standard, function key'), TRIGGER);

    expect(run.status).toBe('Failed');
    expect(readOutput(run.history['Upload_file'], 'error')).toEqual({
      code: 'UploadFailed',
      message: 'Outlook answered 503 to bytes 0-3932159/9000001.',
    });
  });

  test.each([
    ['https://example.test/api/AttachmentSessions', '3', 'UploadUrlNotAllowed'],
    ['http://outlook.office.com/api/AttachmentSessions', '3', 'UploadUrlNotAllowed'],
    ['no address', '3', 'UploadUrlNotAllowed'],
    ['graph', 'three', 'SizeMissing'],
  ])('the uploader refuses %s with size %s', async (address, size, code) => {
    const uploadUrl = address === 'graph' ? workflows.site.graph.url : address;

    const response = await fetch(`${workflows.uploaderUrl}/api/upload`, {
      method: 'POST',
      headers: { 'x-functions-key': workflows.key, 'x-upload-url': uploadUrl, 'x-upload-size': size },
      body: 'abc',
    });

    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: { code, message: expect.any(String) } });
    expect(workflows.site.graph.requests).toEqual([]);
  });
});

function readOutput(action: { readonly outputs?: unknown } | undefined, name: string): unknown {
  const { outputs } = (action ?? {}) as { readonly outputs?: { readonly body?: Readonly<Record<string, unknown>> } };
  return outputs?.body?.[name];
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
