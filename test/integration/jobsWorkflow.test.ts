import { createHash, randomBytes } from 'node:crypto';
import { ADELE, MEGAN } from '../../local/emulators/graph/seed.ts';
import { PLANS, readDefinition, type WorkflowDefinition } from '../support/workflow/readDefinition.ts';
import { type StoredFile, startWorkflowSite, type WorkflowSite } from '../support/workflow/workflowSite.ts';

const FILE: StoredFile = { bytes: randomBytes(20_000_000), contentType: 'application/pdf' };
const SHA256 = createHash('sha256').update(FILE.bytes).digest('hex');

let workflows: WorkflowSite;

beforeAll(async () => {
  workflows = await startWorkflowSite('managed identity', { 'reports/large.pdf': FILE });
});
beforeEach(() => workflows.reset());
afterAll(() => workflows.close());

function triggerBody() {
  return {
    mailbox: ADELE.userPrincipalName,
    to: MEGAN.userPrincipalName,
    subject: 'The report',
    fileName: 'report.pdf',
    blob: 'reports/large.pdf',
  };
}

/** The example, with the header that lets the proxy answer at once. */
function asJob(definition: WorkflowDefinition): WorkflowDefinition {
  const { Attach_file: attach } = definition.actions;
  if (attach === undefined) throw new Error('The example has no action Attach_file.');
  const headers = { ...(attach.inputs['headers'] as object), Prefer: 'respond-async' };
  return {
    ...definition,
    actions: { ...definition.actions, Attach_file: { ...attach, inputs: { ...attach.inputs, headers } } },
  };
}

test.each(PLANS)('a workflow asks until the job is over and has the attachment as its output (%s)', async (plan) => {
  const { status, history } = await workflows.run(asJob(readDefinition(plan, 'attach-from-address')), triggerBody());

  expect(status).toBe('Succeeded');
  const requests = workflows.front.requests.map(({ method }) => method);
  expect([requests[0], new Set(requests.slice(1))]).toEqual(['POST', new Set(['GET'])]);
  expect(history['Attach_file']?.outputs).toMatchObject({ statusCode: 201 });
  const drafts = workflows.site.graph.requests.filter(
    ({ method, path }) => method === 'POST' && /\/messages$/.test(path),
  );
  expect(drafts).toHaveLength(1);
  expect(attachedTo()).toEqual([expect.objectContaining({ name: 'report.pdf', sha256: SHA256 })]);
});

test('a job that fails makes the action fail, with a text that a maker understands', async () => {
  workflows.site.graph.play({ error: 'status413MessageSize', on: 'upload', chunk: 'last' });

  const { status, history } = await workflows.run(
    asJob(readDefinition('Consumption', 'attach-from-address')),
    triggerBody(),
  );

  expect(status).toBe('Failed');
  expect(history['Attach_file']).toMatchObject({
    status: 'Failed',
    outputs: {
      statusCode: 413,
      body: { error: { code: 'ErrorMessageSizeExceeded', message: 'The message exceeds the maximum supported size.' } },
    },
  });
});

/** Of all items that the workflow has made. */
function attachedTo(): readonly unknown[] {
  const paths = workflows.site.graph.requests.map(({ path }) => /\/messages\/([^/]+)\/attachments/.exec(path)?.[1]);
  const ids = new Set(paths.filter((id) => id !== undefined).map(decodeURIComponent));
  return [...ids].flatMap((id) => workflows.site.graph.attachments(ADELE.id, id));
}
