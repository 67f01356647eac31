// Attaches a file to a draft: node attach.mjs FILE (settings: README.md)
import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';

const { PROXY_URL, MAILBOX, MESSAGE_ID, PROXY_KEY, PROXY_TOKEN } = process.env;
const path = process.argv[2];
const file = await openAsBlob(path);
const [mailbox, message] = [MAILBOX, MESSAGE_ID].map(encodeURIComponent);
const address = new URL(`/api/v1.0/users/${mailbox}/messages/${message}/attachments`, PROXY_URL);
address.search = new URLSearchParams({ name: basename(path), size: file.size });

const answer = await fetch(address, {
  method: 'POST',
  headers: {
    ...(PROXY_KEY && { 'x-functions-key': PROXY_KEY }),
    ...(PROXY_TOKEN && { authorization: `Bearer ${PROXY_TOKEN}` }),
  },
  body: file.stream(), // Streams from the disk, without Content-Length.
  duplex: 'half',
});
if (!answer.ok) throw new Error(`The proxy answered ${answer.status}: ${await answer.text()}`);
const { id } = await answer.json();
console.log(id);
