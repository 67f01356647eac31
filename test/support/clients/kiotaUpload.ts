import { createGraphServiceClient, GraphRequestAdapter } from '@microsoft/msgraph-sdk';
import { createAttachmentFromDiscriminatorValue } from '@microsoft/msgraph-sdk/models/index.js';
import { LargeFileUploadTask } from '@microsoft/msgraph-sdk-core';
import '@microsoft/msgraph-sdk-users';
import { Interrupted, interrupted, runUpload } from './uploadProgram.ts';

// The stock upload task of the generated (kiota) Graph SDK, in its own slices. It says a Content-Length that is one too short:
// a browser lets no program set that header, Node's fetch waits for ever. So fetch is as a browser's here.

const nodeFetch = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const headers = new Headers(init?.headers);
  headers.delete('content-length');
  return nodeFetch(input, { ...init, headers });
};

await runUpload(async ({ baseUrl, mailbox, messageId, content, way }) => {
  const adapter = new GraphRequestAdapter({ authenticateRequest: async () => {} });
  adapter.baseUrl = `${baseUrl}/v1.0`;
  const message = createGraphServiceClient(adapter).users.byUserId(mailbox).messages.byMessageId(messageId);
  const session = await message.attachments.createUploadSession.post({
    attachmentItem: { attachmentType: 'file', name: 'report.pdf', size: content.length },
  });
  const createTask = () =>
    new LargeFileUploadTask(
      adapter,
      session ?? {},
      new Blob([content]).stream(),
      -1,
      createAttachmentFromDiscriminatorValue,
      {},
    );
  if (way !== 'upload') {
    const report = () => {
      throw new Interrupted();
    };
    await interrupted(createTask().upload({ report }));
  }
  const task = createTask();
  if (way === 'cancel') {
    await task.deleteSession();
    return {};
  }
  // It looks for a body in the last answer, which has none, from Graph or the proxy: the file is attached by then.
  return (way === 'resume' ? task.resume() : task.upload()).catch((error: Error) => ({ error: error.message }));
});
