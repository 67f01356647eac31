// Attaches a file to a draft with the Graph SDK: node upload.mjs FILE (settings: ../README.md)
import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import { Client, FileUpload, LargeFileUploadTask } from '@microsoft/microsoft-graph-client';

const { PROXY_URL, MAILBOX, MESSAGE_ID, PROXY_KEY, PROXY_TOKEN } = process.env;
const path = process.argv[2];
const proxy = new URL(PROXY_URL);

const client = Client.init({
  baseUrl: new URL('/api/', proxy).href,
  // The SDK sends the token to Graph's own hosts and to these. Outlook's upload host is not one of them, and must not get the token.
  customHosts: new Set(PROXY_TOKEN === undefined ? [] : [proxy.hostname]),
  authProvider: (done) => done(null, PROXY_TOKEN),
});

const name = basename(path);
const content = await openAsBlob(path); // Read range by range, not into memory at once.
const session = await LargeFileUploadTask.createUploadSession(
  client,
  `/users/${encodeURIComponent(MAILBOX)}/messages/${encodeURIComponent(MESSAGE_ID)}/attachments/createUploadSession`,
  { AttachmentItem: { attachmentType: 'file', name, size: content.size } },
  PROXY_KEY === undefined ? {} : { 'x-functions-key': PROXY_KEY },
);
const task = new LargeFileUploadTask(client, new FileUpload(content, name, content.size), session, {
  rangeSize: 3_932_160, // Graph takes less than 4 MiB in one request; the SDK's own default is more.
});
const { location } = await task.upload();

// The last answer has no body; the id is the last key of its Location: …/Attachments('AAMk…').
console.log(decodeURIComponent(location).match(/\('([^']+)'\)$/)[1]);
