import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LogEntry } from '../../shared/logging/logEntry.ts';
import { requestLine } from '../../shared/logging/requestLine.ts';
import { member } from '../support/faultMatrix/graphShape.ts';
import { type AppEvent, GUID, postJson, REPOSITORY_ROOT, type Site, startSite } from '../support/site.ts';

const CLIENT_REQUEST_ID = '3f1c2d4e-5a6b-4c7d-8e9f-0a1b2c3d4e5f';
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const TRACE_PARENT = `00-${TRACE_ID}-b7ad6b7169203331-01`;
const RUN_ID = '08584512345678901234567890123CU00';

let site: Site;

beforeAll(async () => {
  const caller = {
    name: 'mail-merge',
    functionKey: true,
    mailboxes: ['adele@contoso.example'],
    groups: ['02bd9fd6-8f93-4758-87c3-1fb73740a315'],
    kinds: ['message', 'event'],
  };
  site = await startSite({
    storage: true,
    settings: { POLICY: JSON.stringify({ callers: [caller] }) },
    graph: { anyItem: true, appOnlyFamilies: 'all' },
  });
});
afterAll(() => site.close());
afterEach(() => site.graph.reset());

/** One request, with all that is known of it afterwards. */
async function call(
  itemId: string,
  headers: Readonly<Record<string, string>> = {},
  owner = 'users/adele@contoso.example',
) {
  const kind = owner.startsWith('groups/') ? 'events' : 'messages';
  const path = `${owner}/${kind}/${encodeURIComponent(itemId)}/attachments/createUploadSession`;
  const answer = await postJson(`${site.api}/${path}`, undefined, headers);
  const inner = member(member(await answer.json(), 'error'), 'innerError');
  const requestId = answer.headers.get('x-ms-invocation-id');
  const line = await site.findEvent('request', (candidate) => candidate['requestId'] === requestId);
  const upstream = site.graph.requests.filter((request) => request.path.includes(encodeURIComponent(itemId)));
  return { headers: answer.headers, inner, requestId, line, upstream };
}

describe('the three ids of a request', () => {
  test('are the same in the answer, the log line and at Graph', async () => {
    const { headers, requestId, line, upstream } = await call('item', { 'client-request-id': CLIENT_REQUEST_ID });
    const atGraph = upstream.at(-1);

    expect(requestId).toMatch(GUID);
    expect(line['requestId']).toBe(requestId);
    expect([headers.get('client-request-id'), line['clientRequestId'], atGraph?.headers['client-request-id']]).toEqual(
      Array(3).fill(CLIENT_REQUEST_ID),
    );
    expect(atGraph?.requestId).toMatch(GUID);
    expect([headers.get('request-id'), line['graphRequestId']]).toEqual(Array(2).fill(atGraph?.requestId));
  });

  test('are the same where Graph refuses', async () => {
    const { headers, inner, requestId, line, upstream } = await call('error=status404', {
      'client-request-id': CLIENT_REQUEST_ID,
    });
    const atGraph = upstream.at(-1);

    expect(line).toMatchObject({
      requestId,
      clientRequestId: CLIENT_REQUEST_ID,
      graphRequestId: atGraph?.requestId,
    });
    expect([headers.get('request-id'), member(inner, 'request-id')]).toEqual(Array(2).fill(atGraph?.requestId));
    expect(member(inner, 'client-request-id')).toBe(CLIENT_REQUEST_ID);
  });

  test('name the log line where the proxy answers instead of Graph, and the line names Graph’s own', async () => {
    const { headers, inner, requestId, line, upstream } = await call('error=empty');

    expect([headers.get('request-id'), member(inner, 'request-id'), line['requestId']]).toEqual(
      Array(3).fill(requestId),
    );
    expect(line['graphRequestId']).toBe(upstream[0]?.requestId);
  });

  test('stay the same over retries; the line names the last answer of Graph', async () => {
    const { line, upstream } = await call('error=status503;times=2;retry-after=0', {
      'client-request-id': CLIENT_REQUEST_ID,
    });

    expect(upstream.map(({ headers }) => headers['client-request-id'])).toEqual(Array(3).fill(CLIENT_REQUEST_ID));
    expect(line).toMatchObject({ attempts: 3, graphStatuses: [503, 503, 201] });
    expect(line['graphRequestId']).toBe(upstream[2]?.requestId);
  });

  test.each(['', 'not-a-guid', `${CLIENT_REQUEST_ID}-and-more`])(
    'has a client-request-id new making instead of "%s"',
    async (sent) => {
      const { headers, line, upstream } = await call('item', sent === '' ? {} : { 'client-request-id': sent });

      const made = line['clientRequestId'];
      expect(made).toMatch(GUID);
      expect(made).not.toBe(sent);
      expect([headers.get('client-request-id'), upstream[0]?.headers['client-request-id']]).toEqual([made, made]);
    },
  );
});

test('sends the trace on to Graph', async () => {
  const { line, upstream } = await call('item', { traceparent: TRACE_PARENT });

  expect(line['traceparent']).toMatch(new RegExp(`^00-${TRACE_ID}-[0-9a-f]{16}-[0-9a-f]{2}$`));
  expect(upstream[0]?.headers['traceparent']).toBe(line['traceparent']);
});

test('names the Logic Apps run in the log, and nothing that only looks like one', async () => {
  const { line } = await call('item', { 'x-ms-workflow-run-id': RUN_ID });
  const { line: other } = await call('item', { 'x-ms-workflow-run-id': '"}, spoofed' });

  expect(line['workflowRunId']).toBe(RUN_ID);
  expect(other).not.toHaveProperty('workflowRunId');
});

/** The fields that a table's rows begin with. */
function fieldRows(section: string): string[] {
  return [...section.matchAll(/^\| `([\w.]+)` \|/gm)].map(([, field = '']) => field);
}

describe('docs/operate.md', () => {
  const text = readFileSync(join(REPOSITORY_ROOT, 'docs', 'operate.md'), 'utf8');
  const section = text.slice(text.indexOf('## The line of a request'), text.indexOf('## Other lines'));
  const explained = fieldRows(section);

  test('explains exactly the fields that lines have', async () => {
    const asked = { traceparent: TRACE_PARENT, 'x-ms-workflow-run-id': RUN_ID };
    const lines = [
      (await call('error=status503;times=1;retry-after=0', asked)).line,
      (await call('item', {}, 'groups/02bd9fd6-8f93-4758-87c3-1fb73740a315')).line,
      (await call('item', {}, 'users/megan@contoso.example')).line,
      await rangeLine(),
      unforeseen(),
    ];

    const fields = new Set(lines.flatMap(fieldsOf));
    expect([...fields].sort()).toEqual(explained.toSorted());
  });

  test('asks in its queries for fields that there are', () => {
    const ofJobs = text.slice(text.indexOf('## Jobs'), text.indexOf('## Health'));
    const names = [...explained, ...fieldRows(ofJobs)].map((field) => field.split('.')[0]);
    const asked = [...text.matchAll(/\b(?:r|line)\.(\w+)/g)].map(([, field]) => field);

    expect(asked.length).toBeGreaterThan(20);
    expect(asked.filter((field) => !names.includes(field))).toEqual([]);
  });

  test('shows a line as it is written', async () => {
    const example: AppEvent = JSON.parse(/```json\n(.*?)```/s.exec(section)?.[1] ?? '');
    const { line } = await call('error=status503;times=1;retry-after=0;nonce=2', {
      traceparent: TRACE_PARENT,
      'x-ms-workflow-run-id': RUN_ID,
    });

    expect(fieldsOf(example)).toEqual(fieldsOf(line));
    expect([example['mailbox'], example['policyPath']]).toEqual([line['mailbox'], line['policyPath']]);
  });
});

/** The line of a range of an upload, which has the fields new. */
async function rangeLine(): Promise<AppEvent> {
  const size = 4_000_000;
  const opening = await fetch(`${site.api}/users/adele@contoso.example/messages/item/attachments?name=a`, {
    method: 'POST',
    headers: { 'x-ms-transfer-mode': 'chunked', 'x-ms-content-length': String(size) },
  });
  await fetch(opening.headers.get('location') ?? '', {
    method: 'PUT',
    headers: { 'content-range': `bytes 0-999/${size}` },
    body: Buffer.alloc(1000),
  });
  return site.findEvent('request', ({ operation }) => operation === 'putRange');
}

/** A failure that nothing foresees cannot be had from outside. */
function unforeseen(): AppEvent {
  const head = {
    requestId: '',
    clientRequestId: '',
    wantsImmutableIds: false,
    traceParent: undefined,
    workflowRunId: undefined,
  };
  const outcome = { status: 500, code: 'InternalError', error: new TypeError('unforeseen') };
  return JSON.parse(requestLine(new LogEntry('createUploadSession'), head, outcome, 'hashed'));
}

/** Names in the order of the line; those within `ms` with a dot. */
function fieldsOf(line: AppEvent): string[] {
  return Object.entries(line).flatMap(([name, value]) =>
    name === 'ms' && typeof value === 'object' && value !== null
      ? Object.keys(value).map((stage) => `ms.${stage}`)
      : [name],
  );
}
