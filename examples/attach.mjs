// Attaches a file to a draft: node attach.mjs FILE (settings: README.md)
import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { basename } from 'node:path';
import { json, text } from 'node:stream/consumers';

const { PROXY_URL, MAILBOX, MESSAGE_ID, PROXY_KEY, PROXY_TOKEN } = process.env;
const path = process.argv[2];
const [mailbox, message] = [MAILBOX, MESSAGE_ID].map(encodeURIComponent);
const url = new URL(`/api/v1.0/users/${mailbox}/messages/${message}/attachments`, PROXY_URL);
url.search = new URLSearchParams({ name: basename(path), size: statSync(path).size });

const request = (url.protocol === 'https:' ? https : http).request(url, {
  method: 'POST',
  headers: {
    ...(PROXY_KEY && { 'x-functions-key': PROXY_KEY }),
    ...(PROXY_TOKEN && { authorization: `Bearer ${PROXY_TOKEN}` }),
    'transfer-encoding': 'chunked', // Streams from the disk, without Content-Length.
    expect: '100-continue', // An error arrives before the bytes are sent.
  },
});
request.once('continue', () => createReadStream(path).pipe(request));
request.flushHeaders();

const [response] = await once(request, 'response');
if (response.statusCode !== 201) {
  console.error(`The proxy answered ${response.statusCode}: ${await text(response)}`);
  process.exit(1);
}
const { id } = await json(response);
console.log(id);
