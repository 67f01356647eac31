import { Client, FileUpload, LargeFileUploadTask, UploadResult } from '@microsoft/microsoft-graph-client';
import { Interrupted, interrupted, runUpload } from './uploadProgram.ts';

// The stock upload task of the Graph JavaScript SDK, in its own slices; nothing but the base URL is changed.

await runUpload(async ({ baseUrl, mailbox, messageId, content, way }) => {
  const client = Client.init({ baseUrl: `${baseUrl}/`, authProvider: (done) => done(null, 'not-sent-to-other-hosts') });
  const path = `/users/${mailbox}/messages/${messageId}/attachments/createUploadSession`;
  const session = await LargeFileUploadTask.createUploadSession(client, path, {
    AttachmentItem: { attachmentType: 'file', name: 'report.pdf', size: content.length },
  });
  const file = new FileUpload(content, 'report.pdf', content.length);
  const task = new LargeFileUploadTask(client, file, session);
  if (way === 'upload') return resultOf(await task.upload());
  const progress = () => {
    throw new Interrupted();
  };
  await interrupted(new LargeFileUploadTask(client, file, session, { uploadEventHandlers: { progress } }).upload());
  if (way === 'resume') return resultOf(await task.resume());
  await task.cancel();
  return { isCancelled: task.getUploadSession().isCancelled };
});

/** What the task gives back has accessors, which do not go into JSON. */
function resultOf(result: unknown): object {
  return { location: result instanceof UploadResult ? result.location : undefined };
}
