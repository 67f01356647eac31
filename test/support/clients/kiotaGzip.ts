import { HttpClient, MiddlewareFactory } from '@microsoft/kiota-http-fetchlibrary';
import { createGraphServiceClient, GraphRequestAdapter } from '@microsoft/msgraph-sdk';
import type { FileAttachment } from '@microsoft/msgraph-sdk/models/index.js';
import '@microsoft/msgraph-sdk-users';
import { runUpload } from './uploadProgram.ts';

// The generated (kiota) Graph SDK with its own middleware that compresses requests: it sends each body in gzip, and again plain
// after 415. Opens a session, and attaches a file.

await runUpload(async ({ baseUrl, mailbox, messageId, content }) => {
  const compressing = new HttpClient(undefined, ...MiddlewareFactory.getPerformanceMiddlewares());
  const adapter = new GraphRequestAdapter({ authenticateRequest: async () => {} }, undefined, undefined, compressing);
  adapter.baseUrl = `${baseUrl}/v1.0`;
  const { attachments } = createGraphServiceClient(adapter).users.byUserId(mailbox).messages.byMessageId(messageId);
  const session = await attachments.createUploadSession.post({
    attachmentItem: { attachmentType: 'file', name: 'large.pdf', size: 5_242_880 },
  });
  const file: FileAttachment = {
    odataType: '#microsoft.graph.fileAttachment',
    name: 'report.pdf',
    additionalData: { contentBytes: content.toString('base64') },
  };
  return { session, attachment: await attachments.post(file) };
});
