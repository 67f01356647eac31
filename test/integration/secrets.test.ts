import { setTimeout as delay } from 'node:timers/promises';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { findSecrets } from '../support/findSecrets.ts';
import { ATTACHMENT_INFO, postJson, type Site, startSite } from '../support/site.ts';

const [messageId] = ADELE.items.message;

let site: Site;

beforeAll(async () => {
  site = await startSite({
    settings: { REQUEST_TIMEOUT_MS: '3000', LOG_MAILBOX: 'plain' },
    identity: { lifetimeSeconds: 1 }, // So that many tokens are in play, and none when the identity endpoint fails.
  });
});
afterAll(() => site.close());

function openSession(id: string = messageId, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  const path = `me/messages/${encodeURIComponent(id)}/attachments/createUploadSession`;
  return postJson(`${site.api}/v1.0/${path}`, undefined, headers);
}

/** An answer as its reader sees it. */
async function written(response: Response): Promise<string> {
  return `${JSON.stringify([...response.headers])}\n${await response.text()}`;
}

/** Everything that goes wrong, and what the caller reads each time. */
async function answersToFailures(): Promise<string[]> {
  const faults = [
    ...['status401', 'status404', 'status429', 'status500', 'html', 'html429', 'redirect', 'empty', 'notJson'],
    ...['hangInBody', 'resetBeforeHeaders', 'resetAfterHeaders', 'truncated', 'noUploadUrl', 'hugeBody'],
  ];
  const url = `${site.api}/me/messages/${messageId}/attachments/createUploadSession`;
  const responses = [
    ...(await Promise.all(faults.map((fault) => openSession(`error=${fault}`)))),
    await openSession(messageId.replace('1', '9')),
    await postJson(`${site.api}/me/todo/lists/l/tasks/t/attachments/createUploadSession`, ATTACHMENT_INFO),
    await postJson(`${site.api}/users/x/messages/y/attachments/createUploadSession`),
    await postJson(`${site.api}/nowhere`),
    await postJson(url, 'not JSON'),
    await postJson(url, { AttachmentItem: {} }),
    await fetch(url),
  ];
  return Promise.all(responses.map(written));
}

/** Answers while the identity endpoint hands out nothing. */
async function answersWithoutToken(): Promise<string[]> {
  const answers: string[] = [];
  for (const fault of ['garbage', 'absent', 'wrongHeader'] as const) {
    site.identity.play(fault);
    await delay(1100);
    answers.push(await written(await openSession()));
  }
  site.identity.play('none');
  return answers;
}

test('writes no token, key, uploadUrl or stack anywhere but into the session itself', async () => {
  const session = await openSession();
  const headersOfSession = JSON.stringify([...session.headers]);
  const { uploadUrl } = JSON.parse(await session.text());
  const authtoken = new URL(uploadUrl).searchParams.get('authtoken') ?? '';
  const answers = [...(await answersToFailures()), ...(await answersWithoutToken())];
  await site.findEvent('request', ({ code }) => code === 'Created');
  const log = site.lines.map(({ message }) => message);

  expect(authtoken).toHaveLength(64);
  expect(site.events('tokenFailed').length).toBeGreaterThan(1);
  for (const text of [headersOfSession, ...answers, ...log]) {
    expect([text, findSecrets(site, text)]).toEqual([text, []]);
    expect(text).not.toContain(authtoken);
  }
  expect(log.length).toBeGreaterThan(20);
});

test('logs neither ids of items nor names of files', async () => {
  await openSession(messageId, { 'client-request-id': '5b1c7d0e-1111-4a4a-8b8b-0123456789ab' });
  await site.findEvent('request', ({ clientRequestId }) => clientRequestId === '5b1c7d0e-1111-4a4a-8b8b-0123456789ab');

  const log = site.lines.map(({ message }) => message).join('\n');

  expect(log).not.toContain(messageId);
  expect(log).not.toContain(encodeURIComponent(messageId));
  expect(log).not.toContain('report.pdf');
});

test('logs nothing of what a caller sends as credentials', async () => {
  const theCallers = 'a-secret-of-the-caller';
  await postJson(
    `${site.api}/me/messages/${messageId}/attachments/createUploadSession?code=${theCallers}`,
    { AttachmentItem: { attachmentType: 'file', name: theCallers, [theCallers]: theCallers } },
    { authorization: `Bearer ${theCallers}`, 'x-functions-key': theCallers, cookie: theCallers },
  );
  await site.findEvent('request', ({ code }) => code === 'InvalidAttachment');

  expect(site.lines.map(({ message }) => message).join('\n')).not.toContain(theCallers);
});

describe('findSecrets', () => {
  test('knows each kind of secret', async () => {
    await openSession();
    const token = site.identity.tokens.issue({ audience: site.graph.url, lifetimeSeconds: 60 });

    expect(findSecrets(site, `Bearer ${token}`)).toEqual(['a token for Graph']);
    expect(findSecrets(site, site.graph.requests.at(-1)?.headers.authorization ?? '')).toEqual(['a token for Graph']);
    expect(findSecrets(site, site.identity.env.IDENTITY_HEADER)).toEqual(['the secret of the identity endpoint']);
    expect(findSecrets(site, `/api/uploadSessions/${'Zq7_-'.repeat(9).slice(0, 43)}`)).toEqual(['the id of an upload']);
    expect(findSecrets(site, 'https://localhost/x?authtoken=y')).toEqual(['an uploadUrl']);
    expect(findSecrets(site, JSON.stringify({ cause: new Error('x').stack }))).toEqual(['a stack']);
    expect(findSecrets(site, '{"at":"shared/pipeline.ts:41:9"}')).toEqual([]);
  });
});
