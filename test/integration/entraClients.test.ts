import { request as forward } from 'node:http';
import { createServer } from 'node:https';
import { Client, GraphError, LargeFileUploadTask } from '@microsoft/microsoft-graph-client';
import { Agent } from 'undici';
import { createCertificate } from '../../local/emulators/common/certificate.ts';
import { type Listener, listen } from '../../local/listen.ts';
import { ATTACHMENT_ITEM } from '../support/site.ts';
import { startTenantSite, type TenantSite } from '../support/tenantSite.ts';

const APP = '1f0e2d3c-4b5a-4968-8776-655443322110';
const POLICY = { callers: [{ name: 'Invoices', appId: APP, me: 'adele@contoso.example', kinds: ['message'] }] };

// The SDK sends a token over https alone; in Azure the platform's front end ends TLS, here a forwarder of the test does.
describe('the Graph SDK with a bearer for our audience', () => {
  let site: TenantSite;
  let front: Listener;
  let client: Client;

  beforeAll(async () => {
    site = await startTenantSite({ policy: POLICY });
    const { hostname, port } = new URL(site.url);
    const { ca, cert, key } = await createCertificate();
    const server = createServer({ cert, key }, (request, response) => {
      const { method, url: path, headers } = request;
      const onward = forward({ hostname, port, method, path, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    front = await listen(server);
    const fetchOptions: object = { dispatcher: new Agent({ connect: { ca } }) };
    client = Client.init({
      baseUrl: `https://localhost:${front.port}/api`,
      customHosts: new Set(['localhost']),
      authProvider: (done) => {
        void site.bearer(APP).then((bearer) => done(null, bearer.replace('Bearer ', '')));
      },
      fetchOptions,
    });
  });
  afterAll(async () => {
    await front.close();
    await site.close();
  });
  beforeEach(() => site.forget());

  test('opens a session', async () => {
    const session = await client.api('/me/messages/AAMkAG1=/attachments/createUploadSession').post(ATTACHMENT_ITEM);

    expect(session).toMatchObject({ uploadUrl: expect.stringMatching(/^https:/), nextExpectedRanges: ['0-'] });
    expect(site.graph.requests.map(({ path }) => path)).toEqual([
      '/v1.0/users/adele%40contoso.example/messages/AAMkAG1%3D/attachments/createUploadSession',
    ]);
  });

  test('opens a session for its upload task', async () => {
    const path = '/users/adele@contoso.example/messages/AAMkAG1=/attachments/createUploadSession';

    const session = await LargeFileUploadTask.createUploadSession(client, path, ATTACHMENT_ITEM);

    expect(session.url).toMatch(/^https:/);
    expect(session.expiry.getTime()).toBeGreaterThan(Date.now());
  });

  test('reads a denial', async () => {
    const denied = client.api('/users/megan@contoso.example/messages/AAMkAG1=/attachments/createUploadSession');

    const error = await denied.post(ATTACHMENT_ITEM).catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(GraphError);
    expect(error).toMatchObject({ statusCode: 403, code: 'CallerNotAllowed', requestId: expect.any(String) });
    expect(site.graph.requests).toEqual([]);
  });
});
