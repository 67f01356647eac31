import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { type AttachSite, ITEMS, postFile, startAttachSite } from '../support/attachSite.ts';
import { fillJsonMemory } from '../support/fillJsonMemory.ts';
import { expectGraphError, type GraphError, graphErrorBody, postJson, REPOSITORY_ROOT } from '../support/site.ts';
import { fileOf } from '../support/uploads.ts';

const MESSAGE = ITEMS.message;
const PDF = Buffer.from('%PDF-1.7 a file');
const BASE64 = PDF.toString('base64');

let site: AttachSite;

beforeAll(async () => {
  site = await startAttachSite();
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

function attached(itemId: string = MESSAGE.id) {
  return site.graph.attachments(ADELE.id, itemId);
}

/** The bodies that Graph got with POST. */
function sentToGraph(): unknown[] {
  return site.graph.requests.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body));
}

function openSession(itemPath: string, body: unknown): Promise<Response> {
  return postJson(`${site.api}/${itemPath}/createUploadSession`, body);
}

/** Posts JSON to the attachments of the message, and demands 400 at contentBytes before Graph is called. */
async function refusalOf(body: string): Promise<GraphError> {
  const response = await postJson(`${site.api}/${MESSAGE.path}`, body);
  const error = await expectGraphError(response, 400, 'InvalidAttachment');
  expect(site.graph.requests).toEqual([]);
  return error;
}

describe('a source with Content-Encoding', () => {
  const archive = gzipSync(randomBytes(1000));
  const attachFrom = (name: string, sourcePath: string, contentEncoding: string, contentType?: string) => {
    site.source.put(sourcePath, { bytes: archive, contentEncoding, ...(contentType && { contentType }) });
    return postFile(site, MESSAGE.path, { name, sourceUrl: `${site.source.origin}${sourcePath}` });
  };

  test.each([
    ['gzip', 'backup.tar.gz', '/backup.tar.gz', undefined],
    ['utf-8', 'report.pdf', '/report.pdf', 'application/pdf'],
    ['aws-chunked', 'report.pdf', '/report.pdf', undefined],
    ['', 'report.pdf', '/report.pdf', undefined],
    ['x-gzip', 'logs', '/2026/LOGS.TGZ', undefined],
    ['gzip', 'backup.tar.gz', '/download', 'application/octet-stream'],
    ['gzip', 'backup', '/download', 'application/gzip'],
    ['aws-chunked,gzip', 'data.json.gz', '/data.json.gz', 'application/json'],
    ['zstd', 'dump.sql.zst', '/dump.sql.zst', undefined],
    ['binary', 'report.pdf', '/report.pdf', undefined],
  ])('is attached as stored: %j of %s at %s (%s)', async (contentEncoding, name, sourcePath, contentType) => {
    const answer = await attachFrom(name, sourcePath, contentEncoding, contentType);

    expect([answer.status, answer.body]).toEqual([201, expect.any(String)]);
    expect(attached()).toEqual([expect.objectContaining({ name, size: archive.length })]);
  });

  test.each([
    ['gzip', 'report.pdf', '/report.pdf', 'application/pdf', 'gzip'],
    ['br', 'backup.tar.gz', '/backup.tar.gz', undefined, 'br'],
    ['gzip', 'backup.tar', '/backup.tar', 'application/x-tar', 'gzip'],
    ['aws-chunked,gzip', 'report.csv', '/report.csv', 'text/csv', 'gzip'],
  ])('is refused: %j of %s at %s (%s)', async (contentEncoding, name, sourcePath, contentType, coding) => {
    const { status, body } = await attachFrom(name, sourcePath, contentEncoding, contentType);

    expect([status, JSON.parse(body)]).toEqual([424, graphErrorBody('SourceUnusable')]);
    expect(body).toContain(`Content-Encoding: ${coding}`);
    expect(attached()).toEqual([]);
  });
});

describe('a name in JSON', () => {
  const NAMES = [
    'Q1\treport.pdf',
    'Q1\r\n report.pdf',
    'Q1\nreport.pdf',
    '\u0000\u0007\u001b[0m.pdf',
    'a\u0085b\u007f.pdf',
    'a\u2028b.pdf',
  ];

  test.each(NAMES)('is sent to Graph unchanged: %j', async (name) => {
    const answer = await postFile(site, MESSAGE.path, { name, contentBytes: BASE64 });

    expect([answer.status, JSON.parse(answer.body)]).toEqual([201, expect.objectContaining({ name })]);
    expect(attached()).toEqual([expect.objectContaining({ name, size: PDF.length })]);
  });

  test('is sent unchanged in an upload session, and for a To Do task', async () => {
    const name = 'Q1\treport\r\n.pdf';
    const { bytes } = fileOf(3_500_000);
    const large = await postFile(site, MESSAGE.path, { name, contentBytes: bytes.toString('base64') });
    const task = await postFile(site, ITEMS.task.path, { name, contentBytes: BASE64 });
    expect([large.status, task.status]).toEqual([201, 201]);
    expect([attached()[0]?.name, attached(ITEMS.task.id)[0]?.name]).toEqual([name, name]);

    const AttachmentItem = { attachmentType: 'file', name, size: 5_000_000, contentType: 'text/plain;\r\n name="a"' };
    const session = await openSession(ITEMS.event.path, { AttachmentItem });
    expect(session.status).toBe(201);
    expect(sentToGraph().at(-1)).toEqual({ AttachmentItem });
  });
});

describe('contentBytes that are no base64 text', () => {
  const LONG = 200_000;

  test.each<[string, (bytes: Buffer) => unknown]>([
    ['a Buffer', (bytes) => bytes.toJSON()],
    ['a list of numbers', (bytes) => [...bytes]],
    ['a typed array', (bytes) => ({ ...new Uint8Array(bytes) })],
    ['a list as PowerShell 5 writes it', (bytes) => ({ value: [...bytes], Count: bytes.length })],
    ['base64 under another name', (bytes) => ({ type: 'bytes', value: bytes.toString('base64') })],
  ])('are refused as %s, short and long', async (_, write) => {
    for (const bytes of [PDF, Buffer.alloc(LONG, 200)]) {
      const error = await refusalOf(JSON.stringify({ name: 'a.pdf', contentBytes: write(bytes) }));

      expect(error.target).toBe('/contentBytes');
      expect(error.message).toMatch(/must be text in base64.+base64\(…\)\.$/);
      expect(error.details).toHaveLength(1);
    }
  });

  const OBJECT = JSON.stringify({ '$content-type': 'application/pdf', $content: BASE64 });
  const LONG_OBJECT = JSON.stringify({ '$content-type': 'application/pdf', $content: BASE64.repeat(10_000) });
  const inText = (text: string) => JSON.stringify({ name: 'a.pdf', contentBytes: text });

  test.each([
    ['the content object as text', inText(OBJECT), /without the quotes, or write base64\(…\)/],
    ['a long content object as text', inText(LONG_OBJECT), /without the quotes/],
    ['its quotes unescaped', `{"name":"a.pdf","contentBytes":"${OBJECT}"}`, /without the quotes/],
    ['its quotes unescaped, and long', `{"name":"a.pdf","contentBytes":"${LONG_OBJECT}"}`, /without the quotes/],
    ['plain text', inText('The report, as text.'), /not base64 \(at character 10\).+write base64\(…\)/],
    ['plain text of letters', inText('Report'), /write base64\(…\)/],
    ['the bytes themselves', inText(PDF.toString('latin1')), /write base64\(…\)/],
    ["Python's text for bytes", inText(`b'${BASE64}'`), /b64encode/],
    ['a data URL', inText(`data:application/pdf;base64,${BASE64}`), /follows its comma/],
    ['an object', JSON.stringify({ name: 'a.pdf', contentBytes: { status: 'ok' } }), /write base64\(…\)/],
    ['plain text in a content object', JSON.stringify({ name: 'a', contentBytes: { $content: 'a.b' } }), /base64\(…\)/],
  ])('are refused as %s, with what to write', async (_, body, message) => {
    const error = await refusalOf(body);

    expect(error.target).toBe('/contentBytes');
    expect(error.message).toMatch(message);
  });
});

describe('@odata.type', () => {
  test.each([
    '#Microsoft.Graph.FileAttachment',
    'Microsoft.Graph.FileAttachment',
    'microsoft.graph.fileattachment',
    '#MICROSOFT.GRAPH.FILEATTACHMENT',
  ])("is taken as %s, and sent in Graph's spelling", async (type) => {
    const message = await postFile(site, MESSAGE.path, { '@odata.type': type, name: 'a.pdf', contentBytes: BASE64 });
    const taskType = type.replace(/file/i, 'taskFile');
    const task = await postFile(site, ITEMS.task.path, { '@odata.type': taskType, name: 'a', contentBytes: BASE64 });

    expect([message.status, task.status]).toEqual([201, 201]);
    expect(sentToGraph()).toEqual([
      expect.objectContaining({ '@odata.type': '#microsoft.graph.fileAttachment' }),
      expect.objectContaining({ '@odata.type': '#microsoft.graph.taskFileAttachment' }),
    ]);
  });

  test.each([
    ['#Microsoft.Graph.AttachmentItem', '#microsoft.graph.attachmentItem'],
    ['microsoft.graph.attachmentitem', 'microsoft.graph.attachmentItem'],
  ])('is taken as %s for an upload session, and sent as %s', async (type, sent) => {
    const item = { '@odata.type': type, attachmentType: 'File', name: 'a.pdf', size: 5_000_000 };

    await openSession(MESSAGE.path, { AttachmentItem: item });

    expect(sentToGraph()).toEqual([{ AttachmentItem: { ...item, '@odata.type': sent, attachmentType: 'file' } }]);
  });

  test.each(['#microsoft.graph.itemAttachment', '#Microsoft.Graph.ReferenceAttachment'])(
    'is refused as %s',
    async (type) => {
      const body = JSON.stringify({ '@odata.type': type, name: 'a.pdf', contentBytes: BASE64 });

      expect((await refusalOf(body)).target).toBe('/@odata.type');
    },
  );
});

describe('a body in gzip', () => {
  const run = promisify(execFile);

  test('is refused with 415, after which the compressing client of the generated Graph SDK (kiota) sends it plain', async () => {
    const script = path.join(REPOSITORY_ROOT, 'test', 'support', 'clients', 'kiotaGzip.ts');
    const given = [site.api, ADELE.userPrincipalName, MESSAGE.id, '4000000'];
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: site.caPath };
    const before = site.events('request').length;

    const { stdout } = await run(process.execPath, [script, ...given], { env });

    const { session, attachment, sha256 } = JSON.parse(stdout);
    expect(session.uploadUrl).toMatch(/^https:/);
    expect(attachment.name).toBe('report.pdf');
    expect(attached()).toEqual([expect.objectContaining({ sha256 })]);
    await site.findEvent('request', ({ operation, status }) => operation === 'attach' && status === 201);
    const statuses = site.events('request').slice(before);
    expect(statuses.map(({ operation, status }) => `${operation} ${status}`)).toEqual([
      'createUploadSession 415',
      'createUploadSession 201',
      'attach 415',
      'attach 201',
    ]);
  });

  test.each(['gzip', 'br', 'x-gzip'])('is refused with 415 under Content-Encoding: %s, unread', async (coding) => {
    const body = gzipSync(JSON.stringify({ name: 'a.pdf', contentBytes: BASE64 }));
    const headers = { 'content-type': 'application/json', 'content-encoding': coding };

    const response = await fetch(`${site.api}/${MESSAGE.path}`, { method: 'POST', headers, body });

    await expectGraphError(response, 415, 'UnsupportedMediaType');
  });
});

describe('createUploadSession', () => {
  test.each([
    [MESSAGE.path, 'AttachmentItem', { attachmentType: 'file', name: 'a.pdf', size: 5_000_000 }],
    [MESSAGE.path, 'AttachmentItem', { AttachmentType: 'file', Name: 'a.pdf', Size: 5_000_000, isInline: false }],
    [ITEMS.task.path, 'attachmentInfo', { attachmentType: 'file', name: 'a.pdf', size: 5_000_000 }],
  ])('says that the members of a flat body for %s belong inside %s', async (itemPath, parameter, members) => {
    const { message, details } = await expectGraphError(await openSession(itemPath, members), 400, 'InvalidAttachment');

    expect(message).toContain(`'${parameter}' is missing. Put `);
    expect(details?.map((detail) => detail.message)).toEqual(
      expect.arrayContaining(Object.keys(members).map((name) => `'${name}' belongs inside '${parameter}'.`)),
    );
    expect(JSON.stringify(details)).not.toContain('Did you mean');
  });

  test.each([1, 2_097_151])('says the minimum and the other way where Graph refuses %d bytes', async (size) => {
    const response = await openSession(MESSAGE.path, { AttachmentItem: { attachmentType: 'file', name: 'a', size } });

    const code = 'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize';
    const { message } = await expectGraphError(response, 400, code);
    expect(message).toMatch(
      /^The attachment size should be .+ 3 MB \(3000000 bytes\) or more\. Attach this file in one call/,
    );
  });

  test('says the largest size, and nothing that is not so, of a file that is too large', async () => {
    const item = { attachmentType: 'file', name: 'a', size: 200_000_000 };

    const error = await expectGraphError(
      await openSession(MESSAGE.path, { AttachmentItem: item }),
      400,
      'InvalidAttachment',
    );

    expect(error.message).toBe('An upload session takes at most 157286400 bytes; 200000000 were declared.');
  });
});

describe('the memory for files in JSON', () => {
  test('is bounded: 503 with Retry-After while it is full, and free again once its callers have gone', async () => {
    const url = `${site.api}/${MESSAGE.path}`;
    const small = { name: 'small.pdf', contentBytes: BASE64 };
    const gone = () => site.events('request').filter(({ code }) => code === 'CallerDisconnected').length;
    const before = gone();
    // Another mailbox: of this one Graph takes no further call meanwhile.
    const { hangUp } = await fillJsonMemory(site, `${site.api}/users/holder@contoso.example/messages/a/attachments`);
    const calls = site.graph.requests.length;

    for (const response of await Promise.all([postJson(url, small), postJson(url, small)])) {
      expect(response.headers.get('retry-after')).toBe('5');
      await expectGraphError(response, 503, 'InstanceBusy');
    }
    expect(site.graph.requests).toHaveLength(calls);
    const asBytes = await fetch(`${url}?name=bytes.pdf`, { method: 'POST', body: PDF });
    const session = await openSession(ITEMS.event.path, {
      AttachmentItem: { attachmentType: 'file', name: 'a', size: 5_000_000 },
    });
    hangUp();
    await site.findEvent('request', () => gone() >= before + 4);

    expect([asBytes.status, session.status]).toEqual([201, 201]);
    expect((await postJson(url, small)).status).toBe(201);
  }, 60_000);

  test('is free after files that were attached, and after files that were refused', async () => {
    const url = `${site.api}/${MESSAGE.path}`;
    const contentBytes = Buffer.alloc(25 * 1024 * 1024).toString('base64');

    for (const name of ['a', '', 'b', '', 'c', 'd']) {
      expect((await postJson(url, { name, contentBytes })).status).toBe(name === '' ? 400 : 201);
    }
  }, 60_000);
});
