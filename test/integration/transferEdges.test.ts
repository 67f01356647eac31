import {
  type AttachAnswer,
  type AttachSite,
  patchChunks,
  postBytes,
  postFile,
  startAttachSite,
  WAYS,
  type Way,
} from '../support/attachSite.ts';
import { readError } from '../support/faultMatrix/graphShape.ts';
import { expectGraphError, postJson } from '../support/site.ts';
import { fileOf, openUpload, putRange, type TestFile } from '../support/uploads.ts';

const SMALL = fileOf(10_000, 'small.pdf');
/** One piece. */
const LARGE = fileOf(3_200_000, 'large.pdf');
const SESSION = { AttachmentItem: { attachmentType: 'file', name: LARGE.name, size: LARGE.bytes.length } };

let site: AttachSite;
let items = 0;

beforeAll(async () => {
  site = await startAttachSite({
    settings: { UPLOAD_URL: 'proxy', MAILBOX_QUEUE_LENGTH: '200' },
    graph: { anyItem: true },
  });
});
afterAll(() => site.close());

type Kind = 'message' | 'event' | 'task';

const PATHS: Readonly<Record<Kind, string>> = {
  message: 'messages',
  event: 'events',
  task: 'todo/lists/any/tasks',
};

interface Item {
  /** Below the owner, before `attachments`. */
  readonly path: string;
  attached(): ReturnType<AttachSite['graph']['attachments']>;
  /** The calls to Graph, oldest first. */
  calls(method: string): AttachSite['graph']['requests'];
}

/** An item of a mailbox of its own. @param fault that Graph plays on calls to it (local/README.md) */
function newItem(kind: Kind = 'message', fault?: string): Item {
  const name = `edge${items++}`;
  const mailbox = `${name}@contoso.example`;
  const id = fault === undefined ? name : `${fault};nonce=${name}`;
  return {
    path: `users/${mailbox}/${PATHS[kind]}/${encodeURIComponent(id)}`,
    attached: () => site.graph.attachments(mailbox, id),
    calls: (method) =>
      site.graph.requests.filter(
        (request) => request.method === method && decodeURIComponent(request.path).includes(name),
      ),
  };
}

function newKey(): Record<string, string> {
  return { 'idempotency-key': `edge-key-${items++}` };
}

function attach(item: Item, file: TestFile, way: Way, headers: Record<string, string> = {}): Promise<AttachAnswer> {
  return WAYS[way](site, `${item.path}/attachments`, file, headers);
}

/** Opens a chunked message; its Location takes the chunks. */
function openChunked(item: Item, { name, bytes }: TestFile, headers: Record<string, string> = {}) {
  return postBytes(`${site.api}/${item.path}/attachments?name=${name}`, Buffer.alloc(0), {
    'x-ms-transfer-mode': 'chunked',
    'x-ms-content-length': String(bytes.length),
    ...headers,
  });
}

function outcomeOf({ status, headers, body }: AttachAnswer): string {
  if (status < 300) return String(status);
  const texts = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  return `${status} ${readError({ headers: new Headers(texts) }, body)}`;
}

function idIn({ body }: AttachAnswer): unknown {
  return JSON.parse(body).id;
}

const once = (file: TestFile) => [expect.objectContaining({ name: file.name, sha256: file.sha256 })];

describe('an item with more attachments than a page of the list holds', () => {
  /** So many small files, none of which is the one that is looked for. */
  async function filled(count: number): Promise<Item> {
    const item = newItem();
    const others = Array.from({ length: count }, (_, n) =>
      postFile(site, `${item.path}/attachments`, { name: `other-${n}`, contentBytes: 'YQ==' }),
    );
    expect(new Set((await Promise.all(others)).map(({ status }) => status))).toEqual(new Set([201]));
    return item;
  }

  test.each<[string, TestFile, 'attach' | 'upload', string | undefined]>([
    ['small file', SMALL, 'attach', undefined],
    ['large file', LARGE, 'upload', undefined],
    ['small file, where the link leads to another host', SMALL, 'attach', 'https://elsewhere.invalid/v1.0/users'],
    ['small file, where the link leads to another path', SMALL, 'attach', 'https://graph.microsoft.com/v1.0/users'],
  ])('has a %s once whose answer was lost', async (_, file, on, nextLinkBase) => {
    const item = await filled(100);
    site.graph.settings.nextLinkBase = nextLinkBase;
    site.graph.play({ error: 'resetAfterCommit', on });

    const answer = await attach(item, file, 'chunked');
    site.graph.settings.nextLinkBase = undefined;

    expect(outcomeOf(answer)).toBe('201');
    expect(item.attached().slice(100)).toEqual(once(file));
    expect(idIn(answer)).toBe(item.attached().at(-1)?.id);
    expect(item.calls('GET').some(({ path }) => path.includes('$skip=100'))).toBe(true);
  });
});

describe('DELETE of a small chunked upload whose answer was lost', () => {
  /** The chunk goes to Graph with this fault, and the item cannot be asked what came of it. */
  async function lose(fault: 'resetAfterCommit' | 'resetBeforeHeaders', kind: Kind): Promise<[Item, string]> {
    const item = newItem(kind);
    const location = String((await openChunked(item, SMALL)).headers['location']);
    site.graph.play({ error: fault, on: 'attach' });
    site.graph.play({ error: 'status500', on: 'read' });
    expect(outcomeOf(await patchChunks(location, SMALL))).toBe('502 GraphUnreachable');
    return [item, location];
  }

  test.each<Kind>(['message', 'event', 'task'])('is 409 if the file is attached to a %s', async (kind) => {
    const [item, location] = await lose('resetAfterCommit', kind);

    await expectGraphError(await fetch(location, { method: 'DELETE' }), 409, 'UploadCompleted');
    await expectGraphError(await fetch(location, { method: 'DELETE' }), 409, 'UploadCompleted');

    expect(await (await fetch(location)).json()).toMatchObject({ status: 'completed' });
    expect(item.attached()).toEqual(once(SMALL));
  });

  test.each<Kind>(['message', 'task'])('is 204 if the file is not attached to a %s', async (kind) => {
    const [item, location] = await lose('resetBeforeHeaders', kind);

    expect((await fetch(location, { method: 'DELETE' })).status).toBe(204);

    expect(outcomeOf(await patchChunks(location, SMALL))).toBe('410 UploadCancelled');
    expect(item.attached()).toEqual([]);
  });

  test("is Graph's failure while Graph cannot say, and settled by the next", async () => {
    const [item, location] = await lose('resetAfterCommit', 'message');
    site.graph.play({ error: 'status500', on: 'read' });

    await expectGraphError(await fetch(location, { method: 'DELETE' }), 502, 'GraphAnswerInvalid');
    await expectGraphError(await fetch(location, { method: 'DELETE' }), 409, 'UploadCompleted');
    expect(item.attached()).toEqual(once(SMALL));
  });
});

// Graph never answers the read-back, and a request has 220 seconds.
test.each<Way>(['chunked', 'in JSON', "in a workflow's chunks"])(
  'a large file %s is answered with what is known if Graph does not show it',
  async (way) => {
    const item = newItem();
    site.graph.play({ error: 'hangBeforeHeaders', on: 'read' });

    const answer = await attach(item, LARGE, way);

    expect(answer.status).toBe(way === "in a workflow's chunks" ? 200 : 201);
    const [attached] = item.attached();
    expect(JSON.parse(answer.body)).toMatchObject({
      id: attached?.id,
      name: LARGE.name,
      contentType: 'application/pdf',
      size: LARGE.bytes.length,
    });
  },
);

describe('an item that was created a moment ago', () => {
  type Open = (item: Item) => Promise<AttachAnswer>;
  const createSession: Open = async (item) => {
    const answer = await postJson(`${site.api}/${item.path}/attachments/createUploadSession`, SESSION);
    return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
  };
  const ROWS: [string, Kind, 'attach' | 'create', Open][] = [
    ['a small file', 'message', 'attach', (item) => attach(item, SMALL, 'with its length')],
    ['a small file in JSON', 'event', 'attach', (item) => attach(item, SMALL, 'in JSON')],
    ['a small file for a task', 'task', 'attach', (item) => attach(item, SMALL, 'chunked')],
    ['a small file in a chunk', 'message', 'attach', (item) => attach(item, SMALL, "in a workflow's chunks")],
    ['a large file', 'message', 'create', (item) => attach(item, LARGE, 'chunked')],
    ['a large file for an event', 'event', 'create', (item) => attach(item, LARGE, 'in JSON')],
    ['a large file in chunks', 'message', 'create', (item) => openChunked(item, LARGE)],
    ['createUploadSession', 'message', 'create', createSession],
  ];

  test.each(ROWS)('takes %s (%s), though Graph does not find it once', async (_, kind, on, open) => {
    const item = newItem(kind, `error=status404;times=1;on=${on}`);

    expect(Number.parseInt(outcomeOf(await open(item)), 10)).toBeLessThan(300);

    expect(item.calls('POST').map(({ status }) => status)).toEqual([404, expect.any(Number)]);
  });

  test.each(ROWS.filter((_, n) => [0, 4, 7].includes(n)))(
    "gives Graph's third 404 for %s (%s)",
    async (_, kind, on, open) => {
      const item = newItem(kind, `error=status404;on=${on}`);

      expect(outcomeOf(await open(item))).toBe('404 ErrorItemNotFound');

      expect(item.calls('POST').map(({ status }) => status)).toEqual([404, 404, 404]);
      expect(item.attached()).toEqual([]);
    },
  );

  test('takes a file once, if Graph has attached it and does not find the item', async () => {
    const item = newItem('message', 'error=status404AfterCommit;times=1;on=attach');

    expect(outcomeOf(await attach(item, SMALL, 'chunked'))).toBe('201');
    expect(item.attached()).toEqual(once(SMALL));
  });

  test.each([
    ['403', 'status403', '403 ErrorAccessDenied'],
    ['409', 'status409', '409 Conflict'],
  ])('gets any other refusal at once: %s', async (_, fault, refusal) => {
    const item = newItem('message', `error=${fault};on=attach`);

    expect(outcomeOf(await attach(item, SMALL, 'chunked'))).toBe(refusal);
    expect(item.calls('POST')).toHaveLength(1);
  });
});

describe('a file that Graph has attached and refused', () => {
  test.each<[Way, TestFile, Kind, string]>([
    ['with its length', SMALL, 'message', 'on=attach'],
    ['chunked', SMALL, 'event', 'on=attach'],
    ['in JSON', SMALL, 'task', 'on=attach'],
    ['from an address', SMALL, 'message', 'on=attach'],
    ["in a workflow's chunks", SMALL, 'message', 'on=attach'],
    ['chunked', LARGE, 'message', 'on=upload;chunk=last'],
    ['in JSON', LARGE, 'event', 'on=upload;chunk=last'],
  ])('is found by a repetition with the same key: %s, %#', async (way, file, kind, place) => {
    const item = newItem(kind, `error=status409AfterCommit;times=1;${place}`);
    const key = newKey();

    const first = await attach(item, file, way, key);
    const second = await attach(item, file, way, key);
    const third = await attach(item, file, way, key);

    const isChunks = way === "in a workflow's chunks";
    expect([first, second, third].map(outcomeOf)).toEqual([
      '409 Conflict',
      ...(isChunks ? ['200', '200'] : ['201', '201']),
    ]);
    expect(item.attached()).toEqual(once(file));
    expect([idIn(second), idIn(third)]).toEqual([item.attached()[0]?.id, item.attached()[0]?.id]);
  });

  test.each<[string, TestFile]>([
    ['the same bytes before', SMALL],
    ['other bytes', { ...fileOf(10_000), name: SMALL.name }],
  ])('is not taken for another of its name with %s', async (_, other) => {
    const item = newItem('message');
    await attach(item, other, 'chunked', newKey());
    site.graph.play({ error: 'status409', on: 'attach' });
    const key = newKey();

    const answers = [await attach(item, SMALL, 'chunked', key), await attach(item, SMALL, 'chunked', key)];

    expect(answers.map(outcomeOf)).toEqual(['409 Conflict', '201']);
    expect(item.attached().map(({ sha256 }) => sha256)).toEqual([other.sha256, SMALL.sha256]);
  });

  test('is not taken for another that came at the same time with other bytes', async () => {
    const item = newItem('message');
    const other = { ...fileOf(10_000), name: SMALL.name };
    site.graph.play({ error: 'status409', on: 'attach' });
    const key = newKey();

    const refused = await attach(item, SMALL, 'chunked', key);
    await attach(item, other, 'chunked', newKey());
    const repeated = await attach(item, SMALL, 'chunked', key);

    expect([refused, repeated].map(outcomeOf)).toEqual(['409 Conflict', '201']);
    expect(item.attached().map(({ sha256 }) => sha256)).toEqual([other.sha256, SMALL.sha256]);
  });

  test('is not looked for if Graph refused before it had the file', async () => {
    const item = newItem('message');
    await attach(item, LARGE, 'chunked', newKey());
    site.graph.play({ error: 'status403', on: 'create' });
    const key = newKey();

    const answers = [await attach(item, LARGE, 'chunked', key), await attach(item, LARGE, 'chunked', key)];

    expect(answers.map(outcomeOf)).toEqual(['403 ErrorAccessDenied', '201']);
    expect(item.attached()).toHaveLength(2);
  });
});

describe('the Location of a finished upload', () => {
  const whole = (url: string, file: TestFile) => putRange(url, file, 0, file.bytes.length - 1);
  const OUTLOOK =
    /^https:\/\/localhost:\d+\/api\/gv1\.0\/users\('[^/']+'\)\/\w+\('[^/']+'\)\/Attachments\('([^/'%]+)'\)$/;

  test.each<[string, Kind, string | undefined]>([
    ['a message', 'message', undefined],
    ['an event', 'event', undefined],
    ['a message whose last answer was lost', 'message', 'resetAfterCommit'],
    ['a message whose last answer was 503', 'message', 'status503AfterCommit'],
    ['an event whose last answer was cut off', 'event', 'truncated'],
  ])("has Outlook's form: %s", async (_, kind, fault) => {
    const item = newItem(kind, fault && `error=${fault};times=1;on=upload;chunk=last`);
    const { url } = await openUpload(site, LARGE, item.path);

    const answer = await whole(url, LARGE);

    expect(answer.status).toBe(201);
    const location = answer.headers.get('location') ?? '';
    expect(OUTLOOK.exec(location)?.[1]).toBe(item.attached()[0]?.id);
    expect(await (await fetch(url)).json()).toMatchObject({ location, attachmentId: item.attached()[0]?.id });
  });

  test('ends in the same form for a small file, which has no session', async () => {
    const item = newItem();
    const location = String((await openChunked(item, SMALL)).headers['location']);

    const answer = await whole(location, SMALL);

    expect(answer.status).toBe(201);
    const [, id] = /\/Attachments\('([^/'%]+)'\)$/.exec(answer.headers.get('location') ?? '') ?? [];
    expect(id).toBe(item.attached()[0]?.id);
  });

  test.each<[string, string | undefined]>([
    ['', undefined],
    [' whose last answer was lost', 'resetAfterCommit'],
  ])("is Graph's own for a task%s", async (_, fault) => {
    const item = newItem('task', fault && `error=${fault};times=1;on=upload;chunk=last`);
    const { url } = await openUpload(site, LARGE, item.path);

    const location = (await whole(url, LARGE)).headers.get('location') ?? '';

    expect(decodeURIComponent(location.split('/attachments/')[1] ?? '')).toBe(item.attached()[0]?.id);
  });
});

describe('the URL of an upload', () => {
  test.each(['authtoken=none', 'authtoken=', 'code=x&code=y', 'id=AAMk&name=a'])(
    'may be followed by a query, which is ignored: ?%s',
    async (query) => {
      const item = newItem();
      const { url } = await openUpload(site, LARGE, item.path);
      const half = LARGE.bytes.length / 2;

      const first = await putRange(`${url}?${query}`, LARGE, 0, half - 1);
      const shown = await fetch(`${url}?${query}`);
      const last = await putRange(`${url}?${query}`, LARGE, half, LARGE.bytes.length - 1);
      const deleted = await fetch(`${url}?${query}`, { method: 'DELETE' });

      expect([first.status, shown.status, last.status, deleted.status]).toEqual([200, 200, 201, 409]);
      expect(item.attached()).toEqual(once(LARGE));
    },
  );
});
