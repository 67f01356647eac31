import { createGraphServiceClient, GraphRequestAdapter } from '@microsoft/msgraph-sdk';
import '@microsoft/msgraph-sdk-users';

// A program with the generated (kiota) Graph SDK, of which nothing but the base URL is changed: opens upload sessions.
// Arguments: base URL with version, mailbox, message id. Prints the session, and what an error looks like to it, as JSON.

const [, , baseUrl = '', mailbox = '', messageId = ''] = process.argv;
const adapter = new GraphRequestAdapter({ authenticateRequest: async () => {} });
adapter.baseUrl = baseUrl;
const messages = createGraphServiceClient(adapter).users.byUserId(mailbox).messages;

function openSession(size: number) {
  return messages.byMessageId(messageId).attachments.createUploadSession.post({
    attachmentItem: { attachmentType: 'file', name: 'report.pdf', size },
  });
}

const session = await openSession(5_242_880);
const refusal: unknown = await openSession(0).catch((error: unknown) => error);

console.log(JSON.stringify({ session, refusal }));
