import type { GraphPath } from '../graph/graphPath.ts';
import type { ItemRef } from '../graph/mailboxStore.ts';
import type { UploadSession } from '../graph/sessionStore.ts';

const TENANT_ID = '5d6ae1c5-5c76-4cd2-92f5-9c4cd04ba4b5';

/** As live upload hosts write it: a mailbox key of `{oid}@{tenant}`, keys in parentheses, a quote within one doubled. Not encoded. */
export function outlookItemPath(item: ItemRef): string {
  const collection = `${item.type}s`;
  return `/api/gv1.0/${item.owner}('${quoted(item.mailboxId)}@${TENANT_ID}')/${collection}('${quoted(item.id)}')`;
}

/** A To Do session stays on Graph: learn.microsoft.com/graph/todo-attachments. Not encoded. */
export function todoTaskPath({ version, ownerId, keys }: GraphPath): string {
  const [list, task] = keys;
  return `/${version}/users/${ownerId}/todo/lists/${list?.id}/tasks/${task?.id}`;
}

/** `base` is the emulator's address. */
export function uploadUrl(base: string, session: UploadSession): string {
  const query = session.authtoken === undefined ? '' : `?authtoken=${session.authtoken}`;
  return `${base}${encodePath(session.path)}${query}`;
}

export function encodePath(path: string): string {
  const encode = (segment: string) => encodeURIComponent(segment).replaceAll('%40', '@').replaceAll('%3D', '=');
  return path.split('/').map(encode).join('/');
}

/** Seven fractional digits, as Exchange writes them. */
export function expirationDateTime(session: UploadSession): string {
  return new Date(session.expiresAtMs).toISOString().replace('Z', '0000Z');
}

function quoted(key: string): string {
  return key.replaceAll("'", "''");
}
