import { Client } from '@microsoft/microsoft-graph-client';
import { runUpload } from './uploadProgram.ts';

// The stock Graph SDK, of which nothing but the base URL is changed: attaches a file as one attaches small ones to Graph.

await runUpload(async ({ baseUrl, mailbox, messageId, content }) => {
  const client = Client.init({ baseUrl: `${baseUrl}/`, authProvider: (done) => done(null, 'not-sent-to-other-hosts') });
  const attachment = await client.api(`/users/${mailbox}/messages/${messageId}/attachments`).post({
    '@odata.type': '#microsoft.graph.fileAttachment',
    name: 'report.pdf',
    contentType: 'application/pdf',
    contentBytes: content.toString('base64'),
  });
  return { attachment };
});
