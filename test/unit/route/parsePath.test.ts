import fc from 'fast-check';
import { parsePath, SUPPORTED_PATHS } from '../../../shared/route/parsePath.ts';
import { upstreamPath } from '../../../shared/route/target.ts';
import { thrownBy } from '../../support/builders.ts';

const ACTION = 'attachments/createUploadSession';

/** The path at Graph, with `me` in the place of the mailbox that authorize would name. */
function upstreamOf(path: string): string {
  const target = parsePath(path);
  const owner = target.owner.kind === 'me' ? ({ kind: 'mailbox', id: 'ME' } as const) : target.owner;
  return `${target.version}${upstreamPath(target, owner, target.action === 'attach' ? undefined : target.action)}`;
}

describe('parsePath', () => {
  it.each([
    ['users/u/messages/m', 'message', 'v1.0/users/u/messages/m'],
    ['me/messages/m', 'message', 'v1.0/users/ME/messages/m'],
    ['users/me/messages/m', 'message', 'v1.0/users/ME/messages/m'],
    ["users('ME')/messages/m", 'message', 'v1.0/users/ME/messages/m'],
    ['v1.0/me/messages/m', 'message', 'v1.0/users/ME/messages/m'],
    ['beta/me/messages/m', 'message', 'beta/users/ME/messages/m'],
    ['V1.0/ME/MESSAGES/AbC', 'message', 'v1.0/users/ME/messages/AbC'],
    ['users/u/mailFolders/f/messages/m', 'message', 'v1.0/users/u/mailFolders/f/messages/m'],
    [
      'users/u/mailFolders/f/childFolders/g/childFolders/h/messages/m',
      'message',
      'v1.0/users/u/mailFolders/f/childFolders/g/childFolders/h/messages/m',
    ],
    ['me/messages/m/event', 'event', 'v1.0/users/ME/messages/m/event'],
    [
      'me/messages/m/microsoft.graph.eventMessage/event',
      'event',
      'v1.0/users/ME/messages/m/microsoft.graph.eventMessage/event',
    ],
    [
      'me/messages/m/graph.EVENTMESSAGErequest',
      'message',
      'v1.0/users/ME/messages/m/microsoft.graph.eventMessageRequest',
    ],
    ['users/u/events/e', 'event', 'v1.0/users/u/events/e'],
    ['users/u/calendar/events/e', 'event', 'v1.0/users/u/calendar/events/e'],
    ['users/u/calendars/c/events/e', 'event', 'v1.0/users/u/calendars/c/events/e'],
    [
      'users/u/calendarGroups/g/calendars/c/calendarView/e/instances/i',
      'event',
      'v1.0/users/u/calendarGroups/g/calendars/c/calendarView/e/instances/i',
    ],
    ['users/u/events/e/exceptionOccurrences/x', 'event', 'v1.0/users/u/events/e/exceptionOccurrences/x'],
    ['users/u/todo/lists/l/tasks/t', 'todoTask', 'v1.0/users/u/todo/lists/l/tasks/t'],
    ['users/u/outlook/tasks/t', 'outlookTask', 'beta/users/u/outlook/tasks/t'],
    ['v1.0/me/outlook/taskFolders/f/tasks/t', 'outlookTask', 'beta/users/ME/outlook/taskFolders/f/tasks/t'],
    [
      'me/outlook/taskGroups/g/taskFolders/f/tasks/t',
      'outlookTask',
      'beta/users/ME/outlook/taskGroups/g/taskFolders/f/tasks/t',
    ],
    ['groups/g/events/e', 'event', 'v1.0/groups/g/events/e'],
    ['groups/g/calendar/events/e', 'event', 'v1.0/groups/g/calendar/events/e'],
    ['groups/g/threads/t/posts/p', 'post', 'v1.0/groups/g/threads/t/posts/p'],
    [
      'groups/g/conversations/c/threads/t/posts/p/inReplyTo',
      'post',
      'v1.0/groups/g/conversations/c/threads/t/posts/p/inReplyTo',
    ],
    ['me/joinedGroups/g/conversations/c/threads/t/posts/p', 'post', 'v1.0/groups/g/conversations/c/threads/t/posts/p'],
    ["me/joinedGroups('g')/threads/t/posts/p", 'post', 'v1.0/groups/g/threads/t/posts/p'],
    ["users('u')/messages('m')", 'message', 'v1.0/users/u/messages/m'],
    ["users(id='u')/messages(ID='m')", 'message', 'v1.0/users/u/messages/m'],
    [
      "users('o''neill@contoso.example')/messages('a''''b')",
      'message',
      "v1.0/users/o'neill%40contoso.example/messages/a''b",
    ],
  ])('reads %s as a %s', (path, kind, upstream) => {
    const target = parsePath(`${path}/${ACTION}`);

    expect(target.kind).toBe(kind);
    expect(upstreamOf(`${path}/${ACTION}`)).toBe(`${upstream}/${ACTION}`);
  });

  it.each([
    'users/u/messages/m/attachments/createUploadSession/',
    'users/u/messages/m/ATTACHMENTS/CREATEUPLOADSESSION',
    'users/u/messages/m/attachments/microsoft.graph.createUploadSession',
    'users/u/messages/m/attachments/Graph.createUploadSession',
  ])('reads the action as spelled in %s', (path) => {
    expect(upstreamOf(path)).toBe('v1.0/users/u/messages/m/attachments/createUploadSession');
  });

  it('keeps the owner as the caller wrote it', () => {
    expect(parsePath(`users/Adele@Contoso.Example/messages/m/${ACTION}`).owner).toEqual({
      kind: 'mailbox',
      id: 'Adele@Contoso.Example',
    });
  });

  it.each([
    '',
    '/',
    'v1.0',
    'me',
    'users',
    'users/u',
    'users/u/messages',
    'users/u/messages/m',
    'users/u/messages/m/attachments/createUploadSessions',
    'users/u/messages/m/attachments/createUploadSession/more',
    'users/u/messages/m/attachments/createUploadSession//',
    'users/u/messages/m/attachments/other.createUploadSession',
    'users/u/attachments/createUploadSession',
    'users/u/mailFolders/f/attachments/createUploadSession',
    'users/u/todo/lists/l/attachments/createUploadSession',
    'users/u/drive/items/i/createUploadSession',
    'users/u/contacts/c/attachments/createUploadSession',
    'v2.0/users/u/messages/m/attachments/createUploadSession',
    'v1.0/beta/users/u/messages/m/attachments/createUploadSession',
    'groups/g/messages/m/attachments/createUploadSession',
    'groups/g/todo/lists/l/tasks/t/attachments/createUploadSession',
    'users/u/joinedGroups/g/threads/t/posts/p/attachments/createUploadSession',
    "me('u')/messages/m/attachments/createUploadSession",
    "users/u/calendar('c')/events/e/attachments/createUploadSession",
    "users(userPrincipalName='u')/messages/m/attachments/createUploadSession",
    'users/u/messages/m/eventMessage/event/attachments/createUploadSession',
    'users/u/messages/m/microsoft.graph.event/attachments/createUploadSession',
    'users/u/messages/m/microsoft.graph.eventMessageRequest/microsoft.graph.message/attachments/createUploadSession',
    'users/u/events/e/microsoft.graph.eventMessage/attachments/createUploadSession',
    'users/u/mеssages/m/attachments/createUploadSession',
  ])('refuses %j with 404 and names what is supported', (path) => {
    const error = thrownBy(() => parsePath(path));

    expect(error).toMatchObject({ code: 'PathNotSupported', status: 404 });
    expect(error).toHaveProperty('message', expect.stringContaining(SUPPORTED_PATHS));
  });

  it('names only paths that it supports', () => {
    const unsupported = SUPPORTED_PATHS.split('; ')
      .flatMap(expandPattern)
      .filter((path) => !isSupported(path));

    expect(unsupported).toEqual([]);
  });

  it('never quotes the path in a refusal', () => {
    expect(thrownBy(() => parsePath('users/secret-id/nothing'))).not.toHaveProperty(
      'message',
      expect.stringContaining('secret-id'),
    );
    expect(thrownBy(() => parsePath(`users/secret%id/messages/m/${ACTION}`))).not.toHaveProperty(
      'message',
      expect.stringContaining('secret'),
    );
  });

  it.each([
    '',
    '.',
    '..',
    '%2F',
    'a%2Fb',
    'a%00b',
    '100%',
    'a\\b',
    'a?b',
    'a#b',
    'a\nb',
    'a\u007fb',
    'a\u0085b',
    '\ud83d',
    'a\udf89b',
  ])('refuses the id %j wherever it stands', (id) => {
    const paths = [
      `users/${id}/messages/m/${ACTION}`,
      `users('${id}')/messages/m/${ACTION}`,
      `users/u/messages/${id}/${ACTION}`,
      `users/u/messages(id='${id}')/${ACTION}`,
      `me/joinedGroups/${id}/threads/t/posts/p/${ACTION}`,
      `users/u/todo/lists/l/tasks/${id}/${ACTION}`,
    ];

    for (const path of paths) {
      expect(thrownBy(() => parsePath(path))).toMatchObject({ code: 'InvalidId', status: 400 });
    }
  });

  it('answers any text with a target or a ServiceError', () => {
    const words = ['users', 'me', 'messages', 'attachments', 'createUploadSession', 'v1.0', "('", "')", '/', '..', '%'];
    const noise = fc
      .array(fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'binary' })))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(noise, (path) => {
        try {
          parsePath(path);
        } catch (error) {
          expect(error).toHaveProperty('name', 'ServiceError');
        }
      }),
    );
  });
});

function isSupported(path: string): boolean {
  try {
    parsePath(path);
    return true;
  } catch {
    return false;
  }
}

/** Every path that a text such as `{users/{id} | me}[/calendar | /calendars/{id}]/events/{id}` promises. */
function expandPattern(pattern: string): string[] {
  let at = 0;
  const alternatives = (end: string): string[] => {
    const all: string[] = [];
    let sequence = [''];
    const extend = (tails: readonly string[]) => {
      sequence = sequence.flatMap((head) => tails.map((tail) => head + tail));
    };
    while (at < pattern.length && pattern[at] !== end) {
      if (pattern.startsWith('{id}', at)) {
        at += 4;
        extend(['x']);
      } else if (pattern.startsWith(' | ', at)) {
        at += 3;
        all.push(...sequence);
        sequence = [''];
      } else if (pattern[at] === '{' || pattern[at] === '[') {
        const isOptional = pattern[at] === '[';
        at += 1;
        const inner = alternatives(isOptional ? ']' : '}');
        extend(isOptional ? ['', ...inner] : inner);
      } else {
        extend([pattern[at] === '…' ? '' : (pattern[at] ?? '')]);
        at += 1;
      }
    }
    at += 1;
    return [...all, ...sequence];
  };
  return alternatives('');
}
