/** What the Graph emulator holds at the start: two mailboxes and a group of which Adele is a member, with ids shaped as Exchange shapes them. */

export interface MailboxSeed {
  readonly kind: 'user' | 'group';
  readonly id: string;
  readonly userPrincipalName?: string;
  /** Other addresses of the mailbox. */
  readonly aliases?: readonly string[];
  /** Of a group: the object ids of the users who may use it. */
  readonly members?: readonly string[];
  /** Ids by entity type, containers included. */
  readonly items: Readonly<Record<string, readonly string[]>>;
}

export const ADELE = {
  kind: 'user',
  id: '87d349ed-44d7-43e1-9a83-5f2406dee5bd',
  userPrincipalName: 'adele@contoso.example',
  items: {
    message: ['AAMkAGadele-message-1=', 'AAMkAGadele-message-2=', 'AAMkAGadele-message-3='],
    event: ['AAMkAGadele-event-1=', 'AAMkAGadele-event-2='],
    mailFolder: ['AAMkAGadele-folder-1=', 'AAMkAGadele-folder-2='],
    calendar: ['AAMkAGadele-calendar-1='],
    calendarGroup: ['AAMkAGadele-calendarGroup-1='],
    todoTaskList: ['AAMkAGadele-list-1='],
    todoTask: ['AAMkAGadele-task-1=', 'AAMkAGadele-task-2='],
    outlookTask: ['AAMkAGadele-outlookTask-1='],
    outlookTaskFolder: ['AAMkAGadele-taskFolder-1='],
    outlookTaskGroup: ['AAMkAGadele-taskGroup-1='],
  },
} as const satisfies MailboxSeed;

export const MEGAN = {
  kind: 'user',
  id: '48d31887-5fad-4d73-a9f5-3c356e68a038',
  userPrincipalName: 'megan@contoso.example',
  items: {
    message: ['AAMkAGmegan-message-1='],
    event: ['AAMkAGmegan-event-1='],
    todoTaskList: ['AAMkAGmegan-list-1='],
    todoTask: ['AAMkAGmegan-task-1='],
  },
} as const satisfies MailboxSeed;

export const MARKETING = {
  kind: 'group',
  id: '02bd9fd6-8f93-4758-87c3-1fb73740a315',
  members: [ADELE.id],
  items: {
    event: ['AAMkAGmarketing-event-1='],
    conversation: ['AAQkAGmarketing-conversation-1='],
    thread: ['AAQkAGmarketing-thread-1='],
    post: ['AAMkAGmarketing-post-1='],
  },
} as const satisfies MailboxSeed;

export const SEED: readonly MailboxSeed[] = [ADELE, MEGAN, MARKETING];
