import { GraphError } from './graphResponse.ts';

/**
 * Reads a Graph URL path along the navigation properties of Graph's published metadata (v1.0 and beta CSDL). It shares no
 * code with the proxy, because the emulator checks what the proxy sends.
 */

type ItemKind = 'message' | 'event' | 'post' | 'todoTask' | 'outlookTask';

export interface GraphPath {
  readonly version: 'v1.0' | 'beta';
  readonly root: 'me' | 'users' | 'groups';
  /** User or group id as written; empty for `me`. */
  readonly ownerId: string;
  /** Every key after the owner's, in order, decoded, with its entity type. */
  readonly keys: readonly { readonly type: string; readonly id: string }[];
  /** The entity type that the navigation ends on. */
  readonly type: string;
  /** True if the path names a collection, not a member. */
  readonly isCollection: boolean;
  /** Decoded segments after the navigation, lower-cased where they are names: `attachments`, `createuploadsession`. */
  readonly rest: readonly string[];
}

/** Entity type → navigation property in lower case → entity type; `*` marks a collection. */
const NAVIGATION: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  root: { me: 'user', users: 'user*', groups: 'group*' },
  user: {
    messages: 'message*',
    mailfolders: 'mailFolder*',
    events: 'event*',
    calendar: 'calendar',
    calendars: 'calendar*',
    calendargroups: 'calendarGroup*',
    calendarview: 'event*',
    todo: 'todo',
    outlook: 'outlookUser',
  },
  group: {
    events: 'event*',
    calendar: 'calendar',
    calendarview: 'event*',
    threads: 'thread*',
    conversations: 'conversation*',
  },
  mailFolder: { messages: 'message*', childfolders: 'mailFolder*' },
  message: { event: 'event' },
  calendarGroup: { calendars: 'calendar*' },
  calendar: { events: 'event*', calendarview: 'event*' },
  event: { instances: 'event*', exceptionoccurrences: 'event*', calendar: 'calendar' },
  todo: { lists: 'todoTaskList*' },
  todoTaskList: { tasks: 'todoTask*' },
  outlookUser: { tasks: 'outlookTask*', taskfolders: 'outlookTaskFolder*', taskgroups: 'outlookTaskGroup*' },
  outlookTaskGroup: { taskfolders: 'outlookTaskFolder*' },
  outlookTaskFolder: { tasks: 'outlookTask*' },
  conversation: { threads: 'thread*' },
  thread: { posts: 'post*' },
  post: { inreplyto: 'post' },
};

/** The outlookTask types are in the beta metadata only. */
const BETA_TYPES = new Set(['outlookTask', 'outlookTaskFolder', 'outlookTaskGroup']);
const ITEM_KINDS: ReadonlySet<string> = new Set<ItemKind>(['message', 'event', 'post', 'todoTask', 'outlookTask']);
const PARENTHESISED = /^([^(]+)\((?:id=)?'?(.*?)'?\)$/is;

export function isItemKind(type: string): type is ItemKind {
  return ITEM_KINDS.has(type);
}

/** Reads the path part of a request target. @throws GraphError */
export function parseGraphPath(pathname: string): GraphPath {
  const segments = pathname
    .split('/')
    .filter((segment) => segment !== '')
    .map(decode);
  const version = segments[0]?.toLowerCase() ?? '';
  if (version !== 'v1.0' && version !== 'beta') throw invalidPath(`Invalid version: ${version}`);
  const walk = { type: 'root', isCollection: false, at: 1 };
  const keys: { type: string; id: string }[] = [];
  let segment = segments[walk.at];
  while (segment !== undefined && !walk.isCollection) {
    if (isEventMessageCast(walk.type, segment)) {
      segment = segments[++walk.at];
      continue;
    }
    const { name, key } = splitKey(segment);
    const to = NAVIGATION[walk.type]?.[name.toLowerCase()];
    if (to === undefined) break;
    walk.type = to.replace('*', '');
    if (BETA_TYPES.has(walk.type) && version !== 'beta') break;
    if (to.endsWith('*')) {
      const id = key ?? segments[++walk.at];
      if (key === undefined && id?.startsWith('$')) throw noSegment(id); // learn.microsoft.com/graph/api/user-get
      if (id === undefined) walk.isCollection = true;
      else keys.push({ type: walk.type, id });
    }
    segment = segments[++walk.at];
  }
  const root = splitKey(segments[1] ?? '').name.toLowerCase();
  if (root !== 'me' && root !== 'users' && root !== 'groups') throw noSegment(segments[1] ?? '');
  const rest = segments.slice(walk.at).flatMap(flatten);
  if (rest.length > 0 && !(isItemKind(walk.type) && /^attachment(s|sessions)$/.test(rest[0] ?? ''))) {
    throw noSegment(segments[walk.at] ?? '');
  }
  const owner = root === 'me' ? undefined : keys.shift();
  return {
    version,
    root,
    ownerId: owner?.id ?? '',
    keys,
    type: walk.type,
    isCollection: walk.isCollection,
    rest,
  };
}

function invalidPath(message: string): GraphError {
  return new GraphError(400, 'BadRequest', message);
}

function noSegment(segment: string): GraphError {
  return invalidPath(`Resource not found for the segment '${segment}'.`);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalidPath('The request URI is not valid.');
  }
}

function isEventMessageCast(type: string, segment: string): boolean {
  return type === 'message' && /^(microsoft\.)?graph\.eventMessage(Request|Response)?$/i.test(segment);
}

/** `messages('AAMk=')` → name and key; a quote within the key is written twice. */
function splitKey(segment: string): { name: string; key?: string } {
  const [, name, key] = PARENTHESISED.exec(segment) ?? [];
  return name === undefined || key === undefined ? { name: segment } : { name, key: key.replaceAll("''", "'") };
}

function flatten(segment: string, index: number): string[] {
  if (index % 2 === 1 && !/^((microsoft\.)?graph\.)?createuploadsession$/i.test(segment)) return [segment];
  const { name, key } = splitKey(segment);
  const plain = name.toLowerCase().replace(/^(microsoft\.)?graph\./, '');
  return key === undefined ? [plain] : [plain, key];
}
