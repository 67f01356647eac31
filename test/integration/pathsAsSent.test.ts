import { ADELE } from '../../local/emulators/graph/seed.ts';
import { sendRaw } from '../support/probeApp/sendRaw.ts';
import { ATTACHMENT_ITEM, expectGraphError, graphErrorBody, postJson, type Site, startSite } from '../support/site.ts';

const GUEST = 'guest_x.example#EXT#@contoso.example';
const POLICY = {
  callers: [
    {
      name: 'key holders',
      functionKey: true,
      me: ADELE.userPrincipalName,
      mailboxes: ['*@contoso.example', "$o'neil@fabrikam.example", 'guest_y.example#EXT#@fabrikam.example'],
      kinds: ['message', 'event'],
    },
  ],
};

const MESSAGE = 'messages/AAMk%3D/attachments/createUploadSession';
const ME = 'users/adele%40contoso.example';

let site: Site;

beforeAll(async () => {
  site = await startSite({ settings: { POLICY: JSON.stringify(POLICY), ME_MAILBOX: '' }, graph: { anyItem: true } });
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

async function post(path: string): Promise<{ status: number; body: unknown; sentTo: readonly string[] }> {
  const body = Buffer.from(JSON.stringify(ATTACHMENT_ITEM));
  const headers = ['Content-Type', 'application/json', 'Content-Length', String(body.length)];
  const answer = await sendRaw(site.url, { method: 'POST', target: `/api/${path}`, headers, body });
  return {
    status: answer.status,
    body: JSON.parse(answer.text),
    sentTo: site.graph.requests.map((request) => request.path),
  };
}

describe('a path as clients send it', () => {
  test.each([
    // A doubled slash: Microsoft's Python SDK behind a custom HTTP client.
    ['v1.0//users/adele@contoso.example', `v1.0/${ME}`],
    ['beta///me', `beta/${ME}`],
    ['users/adele@contoso.example/', `v1.0/${ME}`],
    ["v1.0//users('adele@contoso.example')//mailFolders/inbox/", `v1.0/${ME}/mailFolders/inbox`],
    // What Microsoft's generated SDKs send for `me` without their own middleware.
    ['v1.0/users/me-token-to-replace', `v1.0/${ME}`],
    ['v1.0/users/TokenToReplace', `v1.0/${ME}`],
    ['beta//Users/ME-TOKEN-TO-REPLACE', `beta/${ME}`],
    ["users('tokenToReplace')", `v1.0/${ME}`],
    ['users/me%2Dtoken%2Dto%2Dreplace', `v1.0/${ME}`],
    ['users/TokenToReplace@contoso.example', 'v1.0/users/TokenToReplace%40contoso.example'],
    // A mailbox that begins with `$`.
    ['users/$svc@contoso.example', "v1.0/users('$svc%40contoso.example')"],
    ['users/%24svc@contoso.example', "v1.0/users('$svc%40contoso.example')"],
    ["users('$svc@contoso.example')", "v1.0/users('$svc%40contoso.example')"],
    ["beta/users(id='%24o''neil@fabrikam.example')", "beta/users('$o''neil%40fabrikam.example')"],
    ["users/$o'neil@fabrikam.example", "v1.0/users('$o''neil%40fabrikam.example')"],
    ['users/s$vc@contoso.example', 'v1.0/users/s%24vc%40contoso.example'],
    ['me/mailFolders/$inbox', `v1.0/${ME}/mailFolders('$inbox')`],
    // A guest.
    ['users/guest_x.example%23EXT%23%40contoso.example', `v1.0/users/${encodeURIComponent(GUEST)}`],
    ["users('guest_x.example%23EXT%23@contoso.example')", `v1.0/users/${encodeURIComponent(GUEST)}`],
    ['users/guest_y.example%23ext%23@fabrikam.example', 'v1.0/users/guest_y.example%23ext%23%40fabrikam.example'],
    ['users/a%23b@contoso.example', 'v1.0/users/a%23b%40contoso.example'],
    ['users/%24a%23b@contoso.example', "v1.0/users('$a%23b%40contoso.example')"],
  ])('%s names %s at Graph', async (owner, upstream) => {
    const answer = await post(`${owner}/${MESSAGE}`);

    expect(answer).toMatchObject({ status: 201, body: { uploadUrl: expect.any(String) } });
    expect(answer.sentTo).toEqual([`/${upstream}/${MESSAGE}`]);
  });

  test.each([
    ['users//adele@contoso.example', 400, 'InvalidId'],
    ['users/adele@contoso.example/mailFolders//inbox', 400, 'InvalidId'],
    ["users('')", 400, 'InvalidId'],
    ['me-token-to-replace', 404, 'PathNotSupported'],
    ['users/me-token-to-replace2', 403, 'CallerNotAllowed'],
    ['users/$svc@fabrikam.example', 403, 'CallerNotAllowed'],
    ["users('$svc@contoso.example')@fabrikam.example", 404, 'PathNotSupported'],
    ['users/guest_x.example%23EXT%23@fabrikam.example', 403, 'CallerNotAllowed'],
    ['users/guest_x.example%2523EXT%2523@contoso.example', 400, 'InvalidId'],
    ['users/megan@fabrikam.example%23@contoso.example', 400, 'InvalidId'],
    ['users/48d31887-5fad-4d73-a9f5-3c356e68a038%23EXT%23@contoso.example', 400, 'InvalidId'],
    ['users/guest_x.example%23EXT%23', 400, 'InvalidId'],
    ['me/mailFolders/a%23b@contoso.example', 400, 'InvalidId'],
  ])('%s is refused with %i, and Graph hears nothing of it', async (owner, status, code) => {
    const answer = await post(`${owner}/${MESSAGE}`);

    expect(answer).toEqual({ status, body: graphErrorBody(code), sentTo: [] });
  });

  test.each([
    ['PUT', 'v1.0/http://127.0.0.1:7071/api/uploadSessions/x', 'http:'],
    ['POST', 'v1.0/https://graph.microsoft.com/v1.0/me/messages/AAMk=/attachments', 'https:'],
    ['GET', 'https%3A//proxy.contoso.example/api/uploadSessions/x', 'https:'],
  ])('says of %s %s that the client appended an absolute URL', async (method, path, scheme) => {
    const response = await fetch(`${site.api}/${path}`, { method });

    const { message } = await expectGraphError(response, 404, 'PathNotSupported');
    expect(message).toContain(`The path contains '${scheme}': the client appended an absolute URL to its base URL.`);
  });

  test('names the nearest supported path, and where all are listed, in 300 characters', async () => {
    const response = await postJson(`${site.api}/v1.0/users/adele@contoso.example/message/AAMk=/attachment`);

    const { message } = await expectGraphError(response, 404, 'PathNotSupported');
    expect(message).toContain('The nearest supported path is users/{id}/messages/{id}/attachments;');
    expect(message).toContain('docs/api/paths.md');
    expect(message.length).toBeLessThan(300);
  });
});
