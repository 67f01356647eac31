import { ADELE } from '../../local/emulators/graph/seed.ts';
import { ATTACHMENT_ITEM, expectGraphError, postJson, type Site, startSite } from '../support/site.ts';

const [messageId] = ADELE.items.message;
const PATH = `me/messages/${messageId}/attachments/createUploadSession`;

let site: Site;

beforeAll(async () => {
  site = await startSite();
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

test('gives back the uploadSession that Graph made', async () => {
  const response = await postJson(`${site.api}/v1.0/${PATH}`);
  const session = await response.json();

  expect(response.status).toBe(201);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(session).toEqual({
    '@odata.context': expect.stringContaining('#microsoft.graph.uploadSession'),
    uploadUrl: expect.stringMatching(/^https:\/\/.+\?authtoken=/),
    expirationDateTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    nextExpectedRanges: ['0-'],
  });
});

test('sends Graph what was validated, in canonical spelling, with its own token', async () => {
  const body = {
    attachmentitem: { AttachmentType: 'FILE', Name: 'plan.pdf', SIZE: 3_000_000, isinline: null, contentID: 'logo' },
  };

  const response = await postJson(`${site.api}/${PATH}`, body);

  expect(response.status).toBe(201);
  const [upstream] = site.graph.requests;
  expect(upstream?.method).toBe('POST');
  expect(upstream?.headers.authorization).toMatch(/^Bearer \S+$/);
  expect(JSON.parse(upstream?.body ?? '')).toEqual({
    AttachmentItem: { attachmentType: 'file', name: 'plan.pdf', size: 3_000_000, isInline: null, contentId: 'logo' },
  });
});

test('says every fault of the specification example in one answer', async () => {
  const response = await postJson(`${site.api}/v1.0/${PATH}`, {
    AttachmentItem: { attachmentType: 'String', size: 4 },
  });

  const { details } = await expectGraphError(response, 400, 'InvalidAttachment');
  expect(details).toEqual([
    { code: 'ValueNotAllowed', message: expect.any(String), target: '/AttachmentItem/attachmentType' },
    { code: 'Required', message: expect.any(String), target: '/AttachmentItem/name' },
  ]);
  expect(site.graph.requests).toEqual([]);
});

test('relays what Graph says of a file that is too small for a session', async () => {
  const response = await postJson(`${site.api}/${PATH}`, {
    AttachmentItem: { ...ATTACHMENT_ITEM.AttachmentItem, size: 4 },
  });

  await expectGraphError(response, 400, 'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize');
});

test('reaches no other mailbox than ME_MAILBOX without a policy', async () => {
  const path = 'users/megan@contoso.example/messages/AAMkAGmegan-message-1=/attachments/createUploadSession';

  const response = await postJson(`${site.api}/v1.0/${path}`);

  await expectGraphError(response, 403, 'CallerNotAllowed');
  expect(site.graph.requests).toEqual([]);
});

test.each(['GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('answers %s with 405 and Allow: POST', async (method) => {
  const response = await fetch(`${site.api}/v1.0/${PATH}`, { method });

  expect(response.headers.get('allow')).toBe('POST');
  await expectGraphError(response, 405, 'MethodNotAllowed');
});

test('answers HEAD with 405 and no body', async () => {
  const response = await fetch(`${site.api}/v1.0/${PATH}`, { method: 'HEAD' });

  expect(response.status).toBe(405);
  expect(response.headers.get('allow')).toBe('POST');
});
