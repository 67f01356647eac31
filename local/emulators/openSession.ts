import { type Answer, graphError, graphJson } from './graphAnswer.ts';
import type { GraphCall } from './graphApi.ts';
import type { GraphWorld } from './graphWorld.ts';
import type { ItemRef } from './mailboxStore.ts';
import type { DeclaredAttachment } from './sessionStore.ts';
import { expirationDateTime, outlookItemPath, todoTaskPath, uploadUrl } from './uploadUrl.ts';

/** Answers createUploadSession on an item that is there. */
export function openSession(world: GraphWorld, call: GraphCall, item: ItemRef, attachment: DeclaredAttachment): Answer {
  const { ids, path, caller } = call;
  const isTodo = path.type === 'todoTask';
  if (!isTodo && attachment.size < world.settings.minimumSize) {
    return graphError(
      ids,
      400,
      'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize',
      'The attachment size should be greater than or equal to the minimum size for an upload session.',
    );
  }
  const expiresAtMs = world.now() + world.settings.sessionLifetimeMs;
  const session = world.sessions.open(
    { item, attachment, expiresAtMs, openedBy: caller },
    isTodo
      ? { preauthenticated: false, path: (id) => `${todoTaskPath(path)}/attachmentSessions/${id}` }
      : { preauthenticated: true, path: (id) => `${outlookItemPath(item)}/AttachmentSessions('${id}')` },
  );
  return graphJson(ids, isTodo ? 200 : 201, {
    '@odata.context': `${world.url}/${path.version}/$metadata#microsoft.graph.uploadSession`,
    uploadUrl: uploadUrl(world.url, session),
    expirationDateTime: expirationDateTime(session),
    nextExpectedRanges: ['0-'],
  });
}
