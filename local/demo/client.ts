import { openAsBlob } from 'node:fs';
import path from 'node:path';
import { createProgressBar } from './progressBar.ts';
import { WAYS } from './ways.ts';

// The caller of the demo, started by ../demo.ts: makes a draft at Graph for each way, with rights of its own, and attaches the
// file to it through the proxy. Arguments: the file, its address.

const [, , file = '', url = ''] = process.argv;
const { PROXY_URL, GRAPH_URL, GRAPH_TOKEN, MAILBOX } = process.env;
const content = await openAsBlob(file);
const name = path.basename(file);

console.log(`${name}, ${content.size} bytes, to drafts in the mailbox of ${MAILBOX}`);
for (const way of WAYS) {
  console.log(`\n${way.name}`);
  if (content.size < way.from || content.size > way.to) {
    console.log(`Left out: it takes files of ${way.from} to ${way.to} bytes.`);
    continue;
  }
  const draftId = encodeURIComponent(await createDraft());
  const attachments = new URL(`/api/v1.0/users/${MAILBOX}/messages/${draftId}/attachments`, PROXY_URL);
  const showProgress = createProgressBar(content.size);
  showProgress(0);
  const id = await way.attach(attachments, { name, content, url }, showProgress);
  showProgress(content.size);
  console.log(`Attachment: ${id}`);
}
process.disconnect();

async function createDraft(): Promise<string> {
  const response = await fetch(`${GRAPH_URL}/v1.0/users/${MAILBOX}/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${GRAPH_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ subject: 'The report' }),
  });
  const draft: unknown = await response.json();
  if (typeof draft !== 'object' || draft === null || !('id' in draft)) throw new Error('Graph made no draft.');
  return String(draft.id);
}
