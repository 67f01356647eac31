/**
 * The part of Graph's metadata that leads to an upload session, as data:
 * entity type → navigation property → entity type. Adding a navigation property is one line.
 * Source: the published CSDL, microsoftgraph/msgraph-metadata (v1.0 and beta).
 */

/** What the session's attachment ends up on. */
export const ITEM_KINDS = ['message', 'event', 'todoTask', 'outlookTask', 'post'] as const;
export type ItemKind = (typeof ITEM_KINDS)[number];

/** A navigation property: to one entity, or to a collection whose members are named by a key. */
export interface NavigationProperty {
  readonly to: EntityTypeName;
  readonly many: boolean;
}

interface EntityType {
  readonly navigation: Readonly<Record<string, NavigationProperty>>;
  /** Set where `attachments/createUploadSession` is bound to the type. */
  readonly item?: ItemKind;
  /** The type that a cast segment (`microsoft.graph.eventMessage`) may follow from. */
  readonly derivesFrom?: EntityTypeName;
}

export type EntityTypeName =
  | 'calendar'
  | 'calendarGroup'
  | 'conversation'
  | 'conversationThread'
  | 'event'
  | 'eventMessage'
  | 'eventMessageRequest'
  | 'eventMessageResponse'
  | 'group'
  | 'mailFolder'
  | 'message'
  | 'outlookTask'
  | 'outlookTaskFolder'
  | 'outlookTaskGroup'
  | 'outlookUser'
  | 'post'
  | 'todo'
  | 'todoTask'
  | 'todoTaskList'
  | 'user';

const one = (to: EntityTypeName): NavigationProperty => ({ to, many: false });
const many = (to: EntityTypeName): NavigationProperty => ({ to, many: true });

export const ENTITY_TYPES: Readonly<Record<EntityTypeName, EntityType>> = {
  user: {
    navigation: {
      messages: many('message'),
      mailFolders: many('mailFolder'),
      events: many('event'),
      calendar: one('calendar'),
      calendars: many('calendar'),
      calendarGroups: many('calendarGroup'),
      calendarView: many('event'),
      todo: one('todo'),
      outlook: one('outlookUser'),
    },
  },
  group: {
    navigation: {
      events: many('event'),
      calendar: one('calendar'),
      calendarView: many('event'),
      threads: many('conversationThread'),
      conversations: many('conversation'),
    },
  },
  mailFolder: { navigation: { messages: many('message'), childFolders: many('mailFolder') } },
  // `event` belongs to eventMessage; the path without the cast segment is accepted as well.
  message: { navigation: { event: one('event') }, item: 'message' },
  eventMessage: { navigation: { event: one('event') }, item: 'message', derivesFrom: 'message' },
  eventMessageRequest: { navigation: { event: one('event') }, item: 'message', derivesFrom: 'eventMessage' },
  eventMessageResponse: { navigation: { event: one('event') }, item: 'message', derivesFrom: 'eventMessage' },
  calendarGroup: { navigation: { calendars: many('calendar') } },
  calendar: { navigation: { events: many('event'), calendarView: many('event') } },
  event: { navigation: { instances: many('event'), exceptionOccurrences: many('event') }, item: 'event' },
  todo: { navigation: { lists: many('todoTaskList') } },
  todoTaskList: { navigation: { tasks: many('todoTask') } },
  todoTask: { navigation: {}, item: 'todoTask' },
  outlookUser: {
    navigation: {
      tasks: many('outlookTask'),
      taskFolders: many('outlookTaskFolder'),
      taskGroups: many('outlookTaskGroup'),
    },
  },
  outlookTaskGroup: { navigation: { taskFolders: many('outlookTaskFolder') } },
  outlookTaskFolder: { navigation: { tasks: many('outlookTask') } },
  outlookTask: { navigation: {}, item: 'outlookTask' },
  conversation: { navigation: { threads: many('conversationThread') } },
  conversationThread: { navigation: { posts: many('post') } },
  post: { navigation: { inReplyTo: one('post') }, item: 'post' },
};

/** Where a path may begin. `me`, also in the form `users/me`, is the caller's spelling and never goes upstream. */
export const ROOTS = {
  me: one('user'),
  users: many('user'),
  groups: many('group'),
} as const satisfies Record<string, NavigationProperty>;

/**
 * What stands for `me` in `users/{id}`, in any letter case. Microsoft's generated SDKs build the last two and rewrite them in
 * a middleware that custom HTTP clients leave out (UrlReplaceHandler of msgraph-sdk-python, -go, -java, -php and -dotnet).
 */
export const ME_NAMES = ['me', 'me-token-to-replace', 'TokenToReplace'] as const;

/** `me/joinedGroups/{id}` names a group; Graph offers an app `groups/{id}` instead. */
export const JOINED_GROUPS = 'joinedGroups';

/** The outlookTask family exists in beta alone: learn.microsoft.com/graph/api/resources/outlooktask (beta). */
export const BETA_ONLY: ReadonlySet<ItemKind> = new Set(['outlookTask']);

/** Names that a cast segment may use for the namespace; generated clients shorten it to the alias. */
export const NAMESPACES = ['microsoft.graph.', 'graph.'] as const;

export function withoutNamespace(segment: string): string {
  const lower = segment.toLowerCase();
  const namespace = NAMESPACES.find((candidate) => lower.startsWith(candidate));
  return namespace === undefined ? segment : segment.slice(namespace.length);
}
