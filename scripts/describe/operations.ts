import {
  ENTITY_TYPES,
  type EntityTypeName,
  type ItemKind,
  type NavigationProperty,
  ROOTS,
} from '../../shared/paths/entityModel.ts';

/** A key in the path, which a maker fills in. */
export interface PathParameter {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly example: string;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  /** Below the route prefix, with parameters in braces. */
  readonly path: string;
}

/** An item of the description, with its operations. */
export interface DescribedItem {
  readonly name: string;
  readonly tag: string;
  readonly kind: ItemKind;
  readonly parameters: readonly PathParameter[];
  /** Whether Graph lets an app act without a signed-in user: learn.microsoft.com/graph/outlook-large-attachments */
  readonly isForApps: boolean;
  readonly attach: Operation;
  readonly openSession: Operation;
}

/**
 * Of the many paths to an item, only the shortest is described. Mail folders, calendars, conversations and so on lead to the
 * same items by the same ids, and would hide the fields that a maker looks for. The proxy accepts them too.
 */
const SELECTION = [
  { name: 'Message', item: 'a message in a mailbox', tag: 'Mail', steps: 'users/messages' },
  { name: 'MyMessage', item: 'my message', tag: 'Mail', steps: 'me/messages' },
  { name: 'Event', item: 'an event in a mailbox', tag: 'Calendar', steps: 'users/events' },
  { name: 'MyEvent', item: 'my event', tag: 'Calendar', steps: 'me/events' },
  { name: 'TodoTask', item: 'a To Do task', tag: 'Tasks', steps: 'users/todo/lists/tasks' },
  { name: 'MyTodoTask', item: 'my To Do task', tag: 'Tasks', steps: 'me/todo/lists/tasks' },
  { name: 'OutlookTask', item: 'an Outlook task', tag: 'Tasks', steps: 'users/outlook/tasks' },
  { name: 'GroupEvent', item: 'a group event', tag: 'Groups', steps: 'groups/events' },
  { name: 'GroupPost', item: 'a group post', tag: 'Groups', steps: 'groups/threads/posts' },
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

/** The items to describe. @throws Error if the selection does not agree with the entity model */
export function describeItems(): readonly DescribedItem[] {
  return SELECTION.map(({ name, item, tag, steps }) => {
    const { kind, path, parameters } = walk(steps);
    return {
      name,
      tag,
      kind,
      parameters,
      isForApps: tag === 'Mail' || tag === 'Calendar',
      attach: { operationId: `AttachFileTo${name}`, summary: `Attach a file to ${item}`, path },
      openSession: {
        operationId: `Create${name}UploadSession`,
        summary: `Create an upload session for ${item}`,
        path: `${path}/createUploadSession`,
      },
    };
  });
}

function walk(steps: string): { kind: ItemKind; path: string; parameters: readonly PathParameter[] } {
  let path = '';
  let properties: Readonly<Record<string, NavigationProperty>> = ROOTS;
  let kind: ItemKind | undefined;
  const parameters: PathParameter[] = [];
  for (const step of steps.split('/')) {
    const property = properties[step];
    const key = property?.many ? KEYS[property.to] : undefined;
    if (property === undefined || (property.many && key === undefined))
      throw new Error(`${steps}: ${step} is unknown.`);
    path += `/${step}`;
    if (key !== undefined) {
      path += `/{${key.name}}`;
      parameters.push(key);
    }
    properties = ENTITY_TYPES[property.to].navigation;
    kind = ENTITY_TYPES[property.to].item;
  }
  if (kind === undefined) throw new Error(`${steps} takes no attachments.`);
  return { kind, path: `${path}/attachments`, parameters };
}
