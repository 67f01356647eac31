import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { type CaFile, createCertificate, writeCaFile } from '../../local/emulators/common/certificate.ts';
import { ADELE, MARKETING, MEGAN } from '../../local/emulators/graph/seed.ts';
import { isObject } from '../../shared/common/isObject.ts';
import type { ItemKind } from '../../shared/paths/entityModel.ts';
import { expectGraphError, postJson, REPOSITORY_ROOT } from '../support/site.ts';
import { ROLE, startTenantSite, type TenantSite } from '../support/tenantSite.ts';
import { startTlsFront, type TlsFront } from '../support/tlsFront.ts';
import { fileOf, putRange, type TestFile } from '../support/uploads.ts';

const ADD_IN = 'b4a1c2d3-5e6f-4a7b-8c9d-0e1f2a3b4c5d';
const OTHER_ADD_IN = 'c5b2d3e4-6f70-4b8c-9dae-1f2a3b4c5d6e';
const AS_USER = {
  delegated: true,
  actsAs: 'user',
  uploadUrl: 'proxy',
  kinds: ['message', 'event', 'todoTask', 'post'],
};
const POLICY = {
  callers: [
    { name: 'Mail add-in', appId: ADD_IN, ...AS_USER },
    { name: 'Another', appId: OTHER_ADD_IN, ...AS_USER },
  ],
};
const FIVE_MEGABYTES = 5_000_000;
const SLICE_BYTES = 3_932_160;

const TASK = `me/todo/lists/${ADELE.items.todoTaskList[0]}/tasks/${ADELE.items.todoTask[0]}`;
const MESSAGE = `me/messages/${ADELE.items.message[0]}`;

/** An item of each family of the specification, and where its attachments end up. */
const FAMILIES: readonly [ItemKind, string, string, string][] = [
  ['message', MESSAGE, ADELE.id, ADELE.items.message[0]],
  ['event', `me/events/${ADELE.items.event[0]}`, ADELE.id, ADELE.items.event[0]],
  ['todoTask', TASK, ADELE.id, ADELE.items.todoTask[0]],
  [
    'post',
    `me/joinedGroups/${MARKETING.id}/threads/${MARKETING.items.thread[0]}/posts/${MARKETING.items.post[0]}`,
    MARKETING.id,
    MARKETING.items.post[0],
  ],
];

let front: TlsFront;
let ca: CaFile;
let site: TenantSite;

beforeAll(async () => {
  const certificate = await createCertificate();
  ca = writeCaFile(certificate);
  front = await startTlsFront(certificate);
  site = await startTenantSite({
    policy: POLICY,
    settings: { PUBLIC_BASE_URL: front.url },
    onBehalfOf: {},
    storage: true,
    graph: { appOnlyFamilies: 'asGraph', anyItem: false, minimumSize: 2_097_152 },
  });
  front.forwardTo(site.url);
});
beforeEach(() => site.forget());
afterAll(async () => {
  await front.close();
  await site.close();
  ca.remove();
});

/** Graph saw the user in every call that carried a token, and the identity endpoint was never asked for the app's. */
function expectUserAlone(user: string = ADELE.id): void {
  const tokens = site.graph.requests.flatMap(({ headers }) => headers.authorization?.replace('Bearer ', '') ?? []);
  expect(tokens.length).toBeGreaterThan(0);
  expect(new Set(tokens.map((token) => site.identity.tokens.userOf(token)))).toEqual(new Set([user]));
  expect(site.identity.requests.filter(({ resource }) => resource === site.graph.url)).toEqual([]);
}

function bearerOf(user: string, appId = ADD_IN): Promise<string> {
  return site.bearer(appId, { scp: ROLE, oid: user });
}

async function open(item: string, file: TestFile, authorization: string): Promise<string> {
  const declared = { attachmentType: 'file', name: file.name, size: file.bytes.byteLength };
  const body = item.includes('/todo/') ? { attachmentInfo: declared } : { AttachmentItem: declared };
  const answer = await postJson(`${site.api}/${item}/attachments/createUploadSession`, body, { authorization });
  const session: unknown = await answer.json();
  expect(session).toEqual(expect.objectContaining({ uploadUrl: expect.stringContaining(`${front.url}/api/`) }));
  return isObject(session) ? String(session['uploadUrl']).replace(front.url, site.url) : '';
}

/** Sends the file in slices; each answer's status. */
async function putAll(url: string, file: TestFile, headers: Record<string, string>, from = 0): Promise<number[]> {
  const statuses: number[] = [];
  for (let first = from; first < file.bytes.byteLength; first += SLICE_BYTES) {
    const last = Math.min(first + SLICE_BYTES, file.bytes.byteLength) - 1;
    statuses.push((await putRange(url, file, first, last, headers)).status);
  }
  return statuses;
}

describe('a file of 5 MB, for its user', () => {
  test.each(FAMILIES)('is attached to a %s through a session at the proxy', async (_, item, owner, itemId) => {
    const file = fileOf(FIVE_MEGABYTES);
    const authorization = await bearerOf(ADELE.id);
    const url = await open(item, file, authorization);

    expect(await putAll(url, file, { authorization })).toEqual([200, 201]);

    expect(site.graph.attachments(owner, itemId)).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
    expectUserAlone();
  });

  test.each(FAMILIES)('is attached to a %s in one call', async (_, item, owner, itemId) => {
    const file = fileOf(FIVE_MEGABYTES);
    const authorization = await bearerOf(ADELE.id);

    const answer = await fetch(`${site.api}/${item}/attachments?name=report.pdf`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/pdf' },
      body: file.bytes,
    });

    expect([answer.status, await answer.json()]).toEqual([201, expect.objectContaining({ name: 'report.pdf' })]);
    expect(site.graph.attachments(owner, itemId)).toEqual([expect.objectContaining({ sha256: file.sha256 })]);
    expectUserAlone();
  });

  test.each([
    ['message', MESSAGE, ADELE.items.message[0]],
    ['todoTask', TASK, ADELE.items.todoTask[0]],
  ])('is attached to a %s by the stock Graph SDK', async (_, item, itemId) => {
    const program = path.join(REPOSITORY_ROOT, 'test', 'support', 'clients', 'graphSdkUser.ts');
    const token = (await bearerOf(ADELE.id)).replace('Bearer ', '');
    const env = { ...process.env, USER_TOKEN: token, NODE_EXTRA_CA_CERTS: ca.path };

    const run = await promisify(execFile)(process.execPath, [program, `${front.url}/api/`, `/${item}`, '5000000'], {
      env,
    });

    const { sha256 } = JSON.parse(run.stdout);
    expect(site.graph.attachments(ADELE.id, itemId)).toEqual([expect.objectContaining({ sha256 })]);
    expectUserAlone();
  });
});

describe('ranges that act for a user', () => {
  const file = fileOf(FIVE_MEGABYTES);

  test('need no token where Outlook takes the bytes', async () => {
    const url = await open(MESSAGE, file, await bearerOf(ADELE.id));

    expect(await putAll(url, file, {})).toEqual([200, 201]);
  });

  test('need the token of the user for a To Do task, and continue once it comes', async () => {
    const authorization = await bearerOf(ADELE.id);
    const url = await open(TASK, file, authorization);
    const putFirst = (headers: Record<string, string>) => putRange(url, file, 0, SLICE_BYTES - 1, headers);

    await expectGraphError(await putFirst({}), 401, 'InvalidAuthenticationToken');
    for (const [user, appId] of [
      [MEGAN.id, ADD_IN],
      [ADELE.id, OTHER_ADD_IN],
    ] as const) {
      const refused = await putFirst({ authorization: await bearerOf(user, appId) });
      await expectGraphError(refused, 403, 'CallerNotAllowed');
    }
    expect(site.graph.requests.filter(({ method }) => method === 'PUT')).toEqual([]);

    expect(await putAll(url, file, { authorization })).toEqual([200, 201]);
    expectUserAlone();
  });

  test('hand a challenge of Graph to the caller, and continue with a new token', async () => {
    const authorization = await bearerOf(ADELE.id);
    const url = await open(TASK, file, authorization);
    expect((await putRange(url, file, 0, SLICE_BYTES - 1, { authorization })).status).toBe(200);
    site.identity.tokens.revokeUser(ADELE.id);

    const challenged = await putRange(url, file, SLICE_BYTES, FIVE_MEGABYTES - 1, { authorization });

    expect(challenged.headers.get('www-authenticate')).toMatch(/^Bearer error="insufficient_claims", claims="/);
    await expectGraphError(challenged, 401, 'InteractionRequired');
    expect(await putAll(url, file, { authorization: await bearerOf(ADELE.id) }, SLICE_BYTES)).toEqual([201]);
    expectUserAlone();
  });

  test('can be cancelled with only the token of the user, where Graph asks for one', async () => {
    const authorization = await bearerOf(ADELE.id);
    const url = await open(TASK, file, authorization);

    await expectGraphError(await fetch(url, { method: 'DELETE' }), 401, 'InvalidAuthenticationToken');
    expect((await fetch(url, { method: 'DELETE', headers: { authorization } })).status).toBe(204);
    expectUserAlone();
  });
});

test('give no user the answer that another got under the same Idempotency-Key', async () => {
  const item = `groups/${MARKETING.id}/threads/${MARKETING.items.thread[0]}/posts/${MARKETING.items.post[0]}`;
  site.graph.addMailbox({ ...MARKETING, members: [ADELE.id, MEGAN.id] });
  const file = fileOf(FIVE_MEGABYTES);
  const attach = async (user: string) =>
    fetch(`${site.api}/${item}/attachments?name=a.txt`, {
      method: 'POST',
      headers: { authorization: await bearerOf(user), 'content-type': 'text/plain', 'idempotency-key': 'one' },
      body: file.bytes,
    });

  const statuses = [await attach(ADELE.id), await attach(ADELE.id), await attach(MEGAN.id)].map(({ status }) => status);

  expect(statuses).toEqual([201, 201, 201]);
  expect(site.graph.attachments(MARKETING.id, MARKETING.items.post[0])).toHaveLength(2);
});
