import { parseGraphPath } from '../../../local/emulators/graph/graphPath.ts';
import type { RecordedRequest } from '../../../local/emulators/graph/requestLog.ts';
import { readRequestTarget } from '../../../local/host/requestTarget.ts';

/** Who may be reached at the fuzzed site: every mailbox that is named, or the one of ME_MAILBOX. */
export type Reach = 'any' | 'meOnly';

const SAFE_PATH =
  /^\/(?:v1\.0|beta)\/(?:users|groups)(?:\('[^/?#\\]+'\))?(?:\/[^/?#\\]+)+\/attachments\/createUploadSession$/;
/** What a segment may contain once it is decoded. */
const SAFE_SEGMENT = /^(?!\.{1,2}$)[^/\\?#%]+$/;
const KEY = /^[^(]+\((?:id=)?'(.*)'\)$/is;

/** All that the proxy may send; the rest of the caller's headers is no business of Graph's. */
const HEADERS = new Set([
  ...['host', 'connection', 'content-length', 'content-type', 'accept', 'authorization'],
  ...['client-request-id', 'prefer', 'traceparent'],
]);

/** What is wrong with a call to Graph, given the path that the caller wrote; empty where it stays within what was named. */
export function judgeUpstream(call: RecordedRequest, callerPath: string, reach: Reach, meMailbox: string): string[] {
  const segments = call.path.split('/').slice(1).map(decodeURIComponent);
  // `#` may be in the name of a mailbox, which comes after `users`.
  const isSafe = segments.every((text, at) => SAFE_SEGMENT.test(at === 2 ? text.replace('#', '') : text));
  if (call.method !== 'POST' || !SAFE_PATH.test(call.path) || !isSafe) {
    return [`${call.method} ${call.path} is no session of an item`];
  }
  const { root, ownerId, keys } = parseGraphPath(call.path);
  const named = namesIn(callerPath);
  const isMe = /^(?:me|users)$/i.test(named[0]?.name ?? '') && ownerId === meMailbox;
  const ids = keys.map(({ id }) => id);
  const foreign = Object.keys(call.headers).filter((name) => !HEADERS.has(name));
  return [
    ...(isInOrder(named, isMe ? ids : [ownerId, ...ids]) ? [] : [`${call.path} goes beyond ${callerPath}`]),
    ...(reach === 'any' || (root === 'users' && ownerId.toLowerCase() === meMailbox) ? [] : [`${ownerId} was reached`]),
    ...foreign.map((name) => `the header ${name} went to Graph`),
  ];
}

interface Named {
  readonly name: string;
  readonly key: string | undefined;
}

/** The segments as the platform decodes them, once, below `/api` and the version; empty ones name nothing. */
function namesIn(callerPath: string): Named[] {
  const path = readRequestTarget(`/api/${callerPath}`)?.path ?? '';
  const segments = path
    .split('/')
    .slice(2)
    .filter((segment) => segment !== '');
  if (/^(?:v1\.0|beta)$/i.test(segments[0] ?? '')) segments.shift();
  return segments.map((segment) => ({
    name: segment,
    key: KEY.exec(segment)?.[1]?.replaceAll("''", "'"),
  }));
}

/** Whether the path has the ids in this order, as their own segments or as keys. */
function isInOrder(named: readonly Named[], ids: readonly string[]): boolean {
  let next = 0;
  for (const id of ids) {
    const found = named.findIndex(({ name, key }, at) => at >= next && (name === id || key === id));
    if (found < 0) return false;
    next = found + 1;
  }
  return true;
}
