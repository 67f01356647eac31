import { createGraphServiceClient, GraphRequestAdapter } from '@microsoft/msgraph-sdk';
import type { FileAttachment } from '@microsoft/msgraph-sdk/models/index.js';
import '@microsoft/msgraph-sdk-users';
import { runUpload } from './uploadProgram.ts';

// The generated (kiota) Graph SDK, of which nothing but the base URL is changed: attaches a file as one attaches small ones to
// Graph. Of a FileAttachment this preview sends only the members of the base type, to any server: contentBytes are additional here.

await runUpload(async ({ baseUrl, mailbox, messageId, content }) => {
  const adapter = new GraphRequestAdapter({ authenticateRequest: async () => {} });
  adapter.baseUrl = `${baseUrl}/v1.0`;
  const file: FileAttachment = {
    odataType: '#microsoft.graph.fileAttachment',
    name: 'report.pdf',
    contentType: 'application/pdf',
    additionalData: { contentBytes: content.toString('base64') },
  };
  const { attachments } = createGraphServiceClient(adapter).users.byUserId(mailbox).messages.byMessageId(messageId);
  return { attachment: await attachments.post(file) };
});
