import { createHash, randomBytes } from 'node:crypto';
import { Client, FileUpload, LargeFileUploadTask } from '@microsoft/microsoft-graph-client';

// A program with the stock Graph SDK, of which nothing but the base URL is changed: attaches a file of random bytes to
// an item. Arguments: base URL, path of the item, size in bytes. Prints JSON: the attachment's location and the SHA-256.

const [, , baseUrl = '', itemPath = '', size = ''] = process.argv;
const content = randomBytes(Number(size));
const client = Client.init({ baseUrl, authProvider: (done) => done(null, 'not-sent-to-other-hosts') });

const session = await LargeFileUploadTask.createUploadSession(client, `${itemPath}/attachments/createUploadSession`, {
  AttachmentItem: { attachmentType: 'file', name: 'report.pdf', size: content.length },
});
const task = new LargeFileUploadTask(client, new FileUpload(content, 'report.pdf', content.length), session, {
  rangeSize: 3_932_160,
});
const { location } = await task.upload();

console.log(JSON.stringify({ location, sha256: createHash('sha256').update(content).digest('hex') }));
