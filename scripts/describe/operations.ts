import { ENTITY_TYPES, type EntityTypeName, type ItemKind, ROOTS } from '../../shared/paths/entityModel.ts';

/** What a maker may fill in: a part of the path. */
export interface PathParameter {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly example: string;
}

/** What can be done with an item. */
export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  /** Below the route prefix, with parameters in braces. It is one that parsePath takes. */
  readonly path: string;
}

/** An item of the description, with its operations. */
export interface DescribedItem {
  /** In operationIds. */
  readonly name: string;
  /** In summaries. */
  readonly item: string;
  readonly tag: string;
  readonly kind: ItemKind;
  readonly parameters: readonly PathParameter[];
  /** Whether Graph lets an app act without a signed-in user: learn.microsoft.com/graph/outlook-large-attachments */
  readonly isForApps: boolean;
  readonly attach: Operation;
  readonly openSession: Operation;
}

interface Selected {
  readonly name: string;
  readonly item: string;
  readonly tag: string;
  readonly root: keyof typeof ROOTS;
  readonly navigation: readonly string[];
  readonly isForApps: boolean;
}

/**
 * Of the many paths to an item the shortest one is described: mail folders, calendars, conversations and so on lead to
 * the same items, by the same ids, and would bury the fields that a maker looks for. The proxy takes them all the same.
 */
const SELECTION: readonly Selected[] = [
  {
    name: 'Message',
    item: 'a message in a mailbox',
    tag: 'Mail',
    root: 'users',
    navigation: ['messages'],
    isForApps: true,
  },
  { name: 'MyMessage', item: 'my message', tag: 'Mail', root: 'me', navigation: ['messages'], isForApps: true },
  {
    name: 'Event',
    item: 'an event in a mailbox',
    tag: 'Calendar',
    root: 'users',
    navigation: ['events'],
    isForApps: true,
  },
  { name: 'MyEvent', item: 'my event', tag: 'Calendar', root: 'me', navigation: ['events'], isForApps: true },
  {
    name: 'TodoTask',
    item: 'a To Do task',
    tag: 'Tasks',
    root: 'users',
    navigation: ['todo', 'lists', 'tasks'],
    isForApps: false,
  },
  {
    name: 'MyTodoTask',
    item: 'my To Do task',
    tag: 'Tasks',
    root: 'me',
    navigation: ['todo', 'lists', 'tasks'],
    isForApps: false,
  },
  {
    name: 'OutlookTask',
    item: 'an Outlook task',
    tag: 'Tasks',
    root: 'users',
    navigation: ['outlook', 'tasks'],
    isForApps: false,
  },
  {
    name: 'GroupEvent',
    item: 'a group event',
    tag: 'Groups',
    root: 'groups',
    navigation: ['events'],
    isForApps: false,
  },
  {
    name: 'GroupPost',
    item: 'a group post',
    tag: 'Groups',
    root: 'groups',
    navigation: ['threads', 'posts'],
    isForApps: false,
  },
];

/** What a key of each entity type is called and where it comes from. The examples are ids of the emulated Graph, so that they work there. */
const KEYS: Partial<Record<EntityTypeName, PathParameter>> = {
  user: {
    name: 'mailbox',
    summary: 'Mailbox',
    description: "The owner's userPrincipalName or object id.",
    example: 'adele@contoso.example',
  },
  group: idOf('group', 'Group', '02bd9fd6-8f93-4758-87c3-1fb73740a315'),
  message: idOf('message', 'Message', 'AAMkAGadele-message-1='),
  event: idOf('event', 'Event', 'AAMkAGadele-event-1='),
  todoTaskList: idOf('taskList', 'Task list', 'AAMkAGadele-list-1='),
  todoTask: idOf('task', 'Task', 'AAMkAGadele-task-1='),
  outlookTask: idOf('task', 'Task', 'AAMkAGadele-outlookTask-1='),
  conversationThread: idOf('thread', 'Thread', 'AAQkAGmarketing-thread-1='),
  post: idOf('post', 'Post', 'AAMkAGmarketing-post-1='),
};

function idOf(name: string, title: string, example: string): PathParameter {
  const description = `The ${title.toLowerCase()}'s id as Graph returned it. It is percent-encoded once in the path.`;
  return { name: `${name}Id`, summary: `${title} id`, description, example };
}

/** The items to describe, walked through the entity model. Throws where the selection and the model disagree. */
export function describeItems(): readonly DescribedItem[] {
  return SELECTION.map(describeItem);
}

function describeItem({ name, item, tag, root, navigation, isForApps }: Selected): DescribedItem {
  const segments: string[] = [];
  const parameters: PathParameter[] = [];
  let type: EntityTypeName = ROOTS[root].to;
  const enter = (segment: string, isKeyed: boolean): void => {
    segments.push(segment);
    if (!isKeyed) return;
    const key = KEYS[type];
    if (key === undefined) throw new Error(`KEYS has no name for a key of ${type}.`);
    segments.push(`{${key.name}}`);
    parameters.push(key);
  };
  enter(root, ROOTS[root].many);
  for (const step of navigation) {
    const property = ENTITY_TYPES[type].navigation[step];
    if (property === undefined) throw new Error(`${type} has no navigation property ${step}.`);
    type = property.to;
    enter(step, property.many);
  }
  const kind = ENTITY_TYPES[type].item;
  if (kind === undefined) throw new Error(`${type} takes no attachments.`);
  const path = `/${segments.join('/')}/attachments`;
  return {
    name,
    item,
    tag,
    kind,
    parameters,
    isForApps,
    attach: { operationId: `AttachFileTo${name}`, summary: `Attach a file to ${item}`, path },
    openSession: {
      operationId: `Create${name}UploadSession`,
      summary: `Create an upload session for ${item}`,
      path: `${path}/createUploadSession`,
    },
  };
}
