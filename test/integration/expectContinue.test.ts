import http from 'node:http';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { ATTACHMENT_ITEM, graphErrorBody, type Site, startSite } from '../support/site.ts';

/** RFC 9110, section 10.1.1: a refusal may come instead of `100 Continue`, and then no body need be sent. */
const PATH = `/api/me/messages/${ADELE.items.message[0]}/attachments/createUploadSession`;
const BODY = JSON.stringify(ATTACHMENT_ITEM);

let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.close());

interface Outcome {
  readonly wasAsked: boolean;
  readonly status: number | undefined;
  readonly body: unknown;
}

/** Sends a head that expects to be asked, and the body only then. */
function send(method: string, path: string, headers: Readonly<Record<string, string>>): Promise<Outcome> {
  const { hostname, port } = new URL(site.url);
  const outgoing = http.request({
    ...{ hostname, port, method, path, agent: false },
    headers: { expect: '100-continue', ...headers },
  });
  outgoing.flushHeaders();
  let wasAsked = false;
  outgoing.once('continue', () => {
    wasAsked = true;
    outgoing.end(BODY);
  });
  return new Promise((resolve, reject) => {
    outgoing.once('error', reject);
    outgoing.once('response', async (incoming) => {
      let text = '';
      for await (const chunk of incoming) text += chunk;
      outgoing.destroy();
      resolve({ wasAsked, status: incoming.statusCode, body: JSON.parse(text) });
    });
  });
}

const CHUNKED = { 'transfer-encoding': 'chunked' };
const JSON_TYPE = { 'content-type': 'application/json' };

test.each([
  ['type', 'POST', PATH, { 'content-type': 'application/pdf' }, 415, 'UnsupportedMediaType'],
  ['encoding', 'POST', PATH, { ...JSON_TYPE, 'content-encoding': 'gzip' }, 415, 'UnsupportedMediaType'],
  ['path', 'POST', '/api/me/files', JSON_TYPE, 404, 'PathNotSupported'],
  ['method', 'PUT', PATH, JSON_TYPE, 405, 'MethodNotAllowed'],
])('is refused for its wrong %s before any body is sent', async (_, method, path, headers, status, code) => {
  expect(await send(method, path, { ...CHUNKED, ...headers })).toEqual({
    wasAsked: false,
    status,
    body: graphErrorBody(code),
  });
});

test('is asked for the body where nothing speaks against it', async () => {
  expect(await send('POST', PATH, { ...CHUNKED, ...JSON_TYPE })).toEqual({
    wasAsked: true,
    status: 201,
    body: expect.objectContaining({ uploadUrl: expect.any(String) }),
  });
});

test('is asked by the host itself where the length is known: the app is asked only afterwards', async () => {
  const headers = { 'content-length': String(Buffer.byteLength(BODY)), 'content-type': 'application/pdf' };

  expect(await send('POST', PATH, headers)).toEqual({
    wasAsked: true,
    status: 415,
    body: graphErrorBody('UnsupportedMediaType'),
  });
});

test('stays well after many refusals', async () => {
  for (let n = 0; n < 50; n += 1) await send('POST', '/api/me/files', { ...CHUNKED, ...JSON_TYPE });

  expect(await send('POST', PATH, { ...CHUNKED, ...JSON_TYPE })).toMatchObject({ wasAsked: true, status: 201 });
});
