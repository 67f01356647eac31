import { ADELE } from '../../local/emulators/graph/seed.ts';
import { postJson, startSite } from '../support/site.ts';

/** The JSON parser's own message quotes the text around the fault, which is where a file name stands. */
test('keeps pieces of a body that is not JSON out of the log and the answer', async () => {
  const site = await startSite();
  const path = `/me/messages/${ADELE.items.message[0]}/attachments/createUploadSession`;

  const response = await fetch(`${site.api}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"AttachmentItem":{"attachmentType":"file","name":Meier.pdf,"size":5242880}}',
  });
  const answer = await response.text();
  await postJson(`${site.api}${path}`);
  await site.close();

  expect(response.status).toBe(400);
  expect(answer).toContain('InvalidJson');
  expect(answer).not.toContain('Meier');
  expect(site.lines.map(({ message }) => message).join('\n')).not.toContain('Meier');
});
