import { execFile, spawnSync } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { GUID, REPOSITORY_ROOT, type Site, startSite } from '../support/site.ts';

const run = promisify(execFile);
const hasCurl = spawnSync('curl', ['--version']).status === 0;
const FIVE_MEGABYTES = 5_242_880;
const [messageId] = ADELE.items.message;
const [eventId] = ADELE.items.event;

let site: Site;

beforeAll(async () => {
  site = await startSite();
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

/** Runs a client in its own process: trust in the emulated upload host is settled when a process starts. */
async function runClient(script: string, ...args: string[]) {
  const file = path.join(REPOSITORY_ROOT, 'test', 'support', 'clients', script);
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: site.caPath };
  const { stdout } = await run(process.execPath, [file, ...args], { env });
  return JSON.parse(stdout);
}

describe('the Graph JavaScript SDK', () => {
  test.each([
    ['a message', `/me/messages/${messageId}`, messageId],
    ['an event', `/users/${ADELE.userPrincipalName}/events/${eventId}`, eventId],
  ])('attaches a whole file of 5 MB to %s', async (_, itemPath, itemId) => {
    const { location, sha256 } = await runClient('graphSdk.ts', `${site.api}/`, itemPath, String(FIVE_MEGABYTES));

    const [attachment] = site.graph.attachments(ADELE.id, itemId);
    expect(attachment).toEqual(expect.objectContaining({ name: 'report.pdf', size: FIVE_MEGABYTES, sha256 }));
    expect(location).toContain(`Attachments('${attachment?.id}')`);
    expect(site.graph.requests.map(({ method, status }) => [method, status])).toEqual([
      ['POST', 201],
      ['PUT', 200],
      ['PUT', 201],
    ]);
  });
});

describe('the generated Graph SDK (kiota)', () => {
  test('opens a session, and reads an error of the proxy as one of Graph', async () => {
    const { session, refusal } = await runClient('kiota.ts', `${site.api}/v1.0`, ADELE.userPrincipalName, messageId);

    expect(session).toEqual(
      expect.objectContaining({
        uploadUrl: expect.stringMatching(/^https:\/\/.+authtoken=/),
        expirationDateTime: expect.any(String),
        nextExpectedRanges: ['0-'],
      }),
    );
    expect(refusal.responseStatusCode).toBe(400);
    expect(refusal.errorEscaped).toEqual({
      code: 'InvalidAttachment',
      message: expect.stringMatching(/size/),
      target: '/AttachmentItem/size',
      details: [expect.objectContaining({ code: 'ValueNotAllowed', target: '/AttachmentItem/size' })],
      innerError: {
        date: expect.any(String),
        requestId: expect.stringMatching(GUID),
        clientRequestId: expect.stringMatching(GUID),
      },
    });
  });
});

test.each([
  ['the Graph JavaScript SDK', 'graphSdkAttach.ts'],
  ['the generated Graph SDK (kiota)', 'kiotaAttach.ts'],
])("%s attaches a file of 20 MB with Graph's own call for small files", async (_, script) => {
  const given = [site.api, ADELE.userPrincipalName, messageId, '20000000'];
  const { attachment, sha256 } = await runClient(script, ...given);

  const [attached, ...others] = site.graph.attachments(ADELE.id, messageId);
  expect(others).toEqual([]);
  expect(attached).toEqual(expect.objectContaining({ name: 'report.pdf', contentType: 'application/pdf', sha256 }));
  expect(attachment).toEqual(
    expect.objectContaining({ id: attached?.id, name: 'report.pdf', contentType: 'application/pdf', isInline: false }),
  );
});

// A machine without curl cannot show that curl works.
(hasCurl ? describe : describe.skip)('curl', () => {
  test.each([
    ['with a length', []],
    ['in chunks', ['-H', 'Transfer-Encoding: chunked']],
    ['after Expect: 100-continue', ['-H', 'Expect: 100-continue']],
    ['over HTTP/1.0', ['--http1.0']],
  ])('opens a session, the body sent %s', async (_, extra) => {
    const url = `${site.api}/v1.0/me/messages/${messageId}/attachments/createUploadSession`;
    const json = '{"AttachmentItem":{"attachmentType":"file","name":"report.pdf","size":5242880}}';

    const request = ['-sS', '-w', '\n%{http_code}', '-H', 'Content-Type: application/json', '-d', json, ...extra, url];
    const { stdout } = await run('curl', request);

    const [body = '', status] = stdout.split('\n');
    expect(status).toBe('201');
    expect(JSON.parse(body)).toEqual(expect.objectContaining({ uploadUrl: expect.any(String) }));
  });
});
