import { createHash, randomBytes } from 'node:crypto';
import { Client, FileUpload, LargeFileUploadTask } from '@microsoft/microsoft-graph-client';

// A program of a signed-in user with the stock Graph SDK: of it the base URL is changed, and the proxy's host is named as one
// that may have the user's token, which the SDK then sends with each range too. Arguments: base URL, path of the item, size in
// bytes; the token is USER_TOKEN. Prints the file's SHA-256 as JSON.

const [, , baseUrl = '', itemPath = '', size = ''] = process.argv;
const content = randomBytes(Number(size));
const client = Client.init({
  baseUrl,
  authProvider: (done) => done(null, process.env['USER_TOKEN'] ?? ''),
  customHosts: new Set([new URL(baseUrl).hostname]),
});

const declared = { attachmentType: 'file', name: 'report.pdf', size: content.length };
const session = await LargeFileUploadTask.createUploadSession(client, `${itemPath}/attachments/createUploadSession`, {
  [itemPath.includes('/todo/') ? 'attachmentInfo' : 'AttachmentItem']: declared,
});
await new LargeFileUploadTask(client, new FileUpload(content, 'report.pdf', content.length), session).upload();

console.log(JSON.stringify({ sha256: createHash('sha256').update(content).digest('hex') }));
