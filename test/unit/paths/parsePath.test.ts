import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { ServiceError } from '../../../shared/errors.ts';
import { parsePath } from '../../../shared/paths/parsePath.ts';
import { graphPath } from '../../../shared/paths/target.ts';
import { thrownBy } from '../../support/builders.ts';

const ACTION = 'attachments/createUploadSession';

/** The patterns of docs/api/paths.md. */
function documentedPaths(): string[] {
  const page = readFileSync(join(__dirname, '../../../docs/api/paths.md'), 'utf8');
  return /```\n(.*?)\n```/s.exec(page)?.[1]?.split('\n') ?? [];
}

/** The path at Graph, with `me` in the place of the mailbox that authorize would name. */
function upstreamOf(path: string): string {
  const target = parsePath(path);
  const owner = target.owner.kind === 'me' ? ({ kind: 'mailbox', id: 'ME' } as const) : target.owner;
  return `${target.version}${graphPath(target, owner, target.suffix.split('/')[1])}`;
}

describe('the paths of mail', () => {
  it.each<[string, string, string, string]>([
    ['users/u/sendMail', 'mailbox', 'sendMail', ''],
    ['users/u/microsoft.graph.sendMail', 'mailbox', 'sendMail', ''],
    ['me/sendmail/', 'mailbox', 'sendMail', ''],
    ['users/u/messages', 'mailbox', 'messages', ''],
    ['beta/users/u/mailFolders/f/messages', 'mailFolder', 'messages', 'mailFolders/f'],
    ['users/u/messages/m', 'message', '', 'messages/m'],
    ["users('u')/messages('m')/send", 'message', 'send', 'messages/m'],
  ])('reads %s', (path, on, suffix, itemPath) => {
    expect(parsePath(path)).toMatchObject({ kind: 'message', on, suffix, itemPath });
  });
});

describe('parsePath', () => {
  it.each([
    ['users/u/messages/m', 'message', 'v1.0/users/u/messages/m'],
    ['me/messages/m', 'message', 'v1.0/users/ME/messages/m'],
    ['users/me/messages/m', 'message', 'v1.0/users/ME/messages/m'],
    ["users('ME')/messages/m", 'message', 'v1.0/users/ME/messages/m'],
    ['users/me-token-to-replace/messages/m', 'message', 'v1.0/users/ME/messages/m'],
    ["users('TokenToReplace')/messages/m", 'message', 'v1.0/users/ME/messages/m'],
    ['beta/Users/ME-Token-To-Replace/joinedGroups/g/events/e', 'event', 'beta/groups/g/events/e'],
    ['users/tokentoreplace@contoso.example/events/e', 'event', 'v1.0/users/tokentoreplace%40contoso.example/events/e'],
    ['users/me-token/messages/TokenToReplace', 'message', 'v1.0/users/me-token/messages/TokenToReplace'],
    ['v1.0//users/u/messages/m', 'message', 'v1.0/users/u/messages/m'],
    ['//v1.0/me///messages/m/', 'message', 'v1.0/users/ME/messages/m'],
    ["users('u')//todo//lists/l//tasks/t/", 'todoTask', 'v1.0/users/u/todo/lists/l/tasks/t'],
    ['users/$svc@contoso.example/messages/m', 'message', "v1.0/users('$svc%40contoso.example')/messages/m"],
    ["users('$o''neil')/messages/$m", 'message', "v1.0/users('$o''neil')/messages('$m')"],
    ['groups/$g/threads/$(x)/posts/a$', 'post', "v1.0/groups('$g')/threads('$(x)')/posts/a%24"],
    [
      'users/guest_x.com#EXT#@contoso.example/messages/m',
      'message',
      'v1.0/users/guest_x.com%23EXT%23%40contoso.example/messages/m',
    ],
    ["users('a#b@contoso.example')/events/e", 'event', 'v1.0/users/a%23b%40contoso.example/events/e'],
    ["users('$a#b@contoso.example')/events/e", 'event', "v1.0/users('$a%23b%40contoso.example')/events/e"],
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
    'users/u/messages/m/attachments/createUploadSession//',
    'users/u/messages/m//attachments///createUploadSession',
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
    'users/u/messages/m/copy',
    'users/u/messages/m/reply',
    'users/u/events/e',
    'users/u/mailFolders/f/messages/m',
    'groups/g/sendMail',
    'users/u/messages/m/attachments/createUploadSessions',
    'users/u/messages/m/attachments/createUploadSession/more',
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
  ])('refuses %j with 404 and names a path that is supported', (path) => {
    const error = thrownBy(() => parsePath(path));

    expect(error).toMatchObject({ code: 'PathNotSupported', status: 404 });
    expect(error).toHaveProperty('message', expect.stringMatching(REFUSAL));
    expect(isSupported(nearestIn(error))).toBe(true);
  });

  it.each([
    ['', 'it ends too early', 'users/{id}/messages/{id}/attachments'],
    ['users/u/events/m', 'it ends too early', 'users/{id}/events/{id}/attachments'],
    [
      'user/u/event/e/attachments',
      'it must begin with users/{id}, me or groups/{id}, optionally after v1.0 or beta',
      'users/{id}/events/{id}/attachments',
    ],
    [
      'v1.0/me/message/m/attachments/createUploadSesion',
      'the segment after me is not supported',
      'me/messages/{id}/attachments/createUploadSession',
    ],
    [
      "beta/users('u')/Tasks('t')/attachments",
      'the segment after users/{id} is not supported',
      'users/{id}/todo/lists/{id}/tasks/{id}/attachments',
    ],
    [
      'me/outlook/task/t/attachments',
      'the segment after me/outlook is not supported',
      'me/outlook/tasks/{id}/attachments',
    ],
    [
      'me/joinedGroups/g/posts/p/attachments',
      'the segment after me/joinedGroups/{id} is not supported',
      'me/joinedGroups/{id}/threads/{id}/posts/{id}/attachments',
    ],
    [
      'users/u/messages/m/graph.event/attachments',
      'the segment after users/{id}/messages/{id} is not supported',
      'users/{id}/messages/{id}/event/attachments',
    ],
    [
      'users/u/messages/m/attachments/a/$value',
      'the segment after users/{id}/messages/{id}/attachments is not supported',
      'users/{id}/messages/{id}/attachments',
    ],
    [
      'users/u/drive/root/children',
      'the segment after users/{id} is not supported',
      'users/{id}/messages/{id}/attachments',
    ],
    [
      `users/u/mailFolders/f/${'childFolders/f/'.repeat(7)}message/m`,
      `the segment after …${'/childFolders/{id}'.repeat(7)} is not supported`,
      `…${'/childFolders/{id}'.repeat(5)}/messages/{id}/attachments`,
    ],
  ])('says of %j that %s, and names %s', (path, fault, nearest) => {
    expect(thrownBy(() => parsePath(path))).toHaveProperty(
      'message',
      `This path does not support attachments: ${fault}. The nearest supported path is ${nearest}; docs/api/paths.md lists all.`,
    );
  });

  it('names a supported path for every path that is cut short or misspelt', () => {
    const documented = documentedPaths().flatMap(expandPattern);
    fc.assert(
      fc.property(
        fc.constantFrom(...documented),
        fc.nat(),
        fc.nat(),
        fc.string({ maxLength: 3 }),
        (path, cut, at, noise) => {
          const short = path
            .split('/')
            .slice(0, 1 + (cut % 12))
            .join('/');
          const broken = short.slice(0, at % short.length) + noise + short.slice(1 + (at % short.length));
          for (const candidate of [short, broken]) {
            const error = isSupported(candidate) ? undefined : thrownBy(() => parsePath(candidate));
            if (!(error instanceof ServiceError) || error.code !== 'PathNotSupported') continue;
            expect([candidate, isSupported(nearestIn(error))]).toEqual([candidate, true]);
          }
        },
      ),
    );
  });

  it('looks at a bounded part of a long path', () => {
    const path = `users/u/${'messag/'.repeat(16_000)}`;

    expect(nearestIn(thrownBy(() => parsePath(path)))).toBe('users/x/messages/x/attachments');
  });

  it.each([
    ['v1.0/http://127.0.0.1:7071/api/uploadSessions/x', 'http:'],
    ['HTTPS://graph.microsoft.com/v1.0/me/messages/m/attachments', 'https:'],
    ['users/u/messages/m/attachments/https:%2F%2Fhost%2Fpath', 'https:'],
    ['me/messages/https://host/attachments/createUploadSession', 'https:'],
  ])('says of %s that the client appended an absolute URL', (path, scheme) => {
    expect(thrownBy(() => parsePath(path))).toMatchObject({
      code: 'PathNotSupported',
      message: expect.stringMatching(
        `^The path contains '${scheme}': the client appended an absolute URL to its base URL\\. Send the request to that URL itself;`,
      ),
    });
  });

  it('takes an id that begins like a URL', () => {
    expect(upstreamOf('me/messages/http:x/attachments')).toBe('v1.0/users/ME/messages/http%3Ax/attachments');
  });

  it('supports the paths that docs/api/paths.md lists', () => {
    const documented = documentedPaths().flatMap(expandPattern);

    expect(documented.length).toBeGreaterThan(40);
    expect(documented.filter((path) => !isSupported(`${path}/attachments`))).toEqual([]);
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

  it.each([
    'megan@contoso.example#@fabrikam.example',
    '48d31887-5fad-4d73-a9f5-3c356e68a038#EXT#@contoso.example',
    '48d318875fad4d73a9f53c356e68a038#@contoso.example',
    '#EXT#@contoso.example',
    'guest_x.com#EXT#',
    'guest_x.com@contoso.example#',
    'guest_x.com%23EXT%23@contoso.example',
  ])('refuses the mailbox %s, whose start could be read as another one', (name) => {
    for (const path of [`users/${name}/messages/m/${ACTION}`, `users('${name}')/messages/m/${ACTION}`]) {
      expect(thrownBy(() => parsePath(path))).toMatchObject({ code: 'InvalidId', status: 400 });
    }
  });

  it('takes # in the name of a mailbox only', () => {
    for (const path of ['users/u/messages/a#b@c', 'groups/a#b@c/events/e', 'me/joinedGroups/a#b@c/events/e']) {
      expect(thrownBy(() => parsePath(`${path}/${ACTION}`))).toMatchObject({ code: 'InvalidId' });
    }
  });

  it.each(['users//messages/m', 'users/u/messages/', '/users//u/messages/m', "users/u/messages('')"])(
    'refuses %s, where an id is empty',
    (path) => {
      expect(thrownBy(() => parsePath(`${path}/${ACTION}`))).toMatchObject({ code: 'InvalidId', status: 400 });
    },
  );

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

const REFUSAL =
  /^This path does not support attachments: .*\. The nearest supported path is ([^;]+); docs\/api\/paths\.md lists all\.$/;

/** The path that a refusal names, with an id in each place. */
function nearestIn(error: unknown): string {
  const message = error instanceof Error ? error.message : '';
  return REFUSAL.exec(message)?.[1]?.replaceAll('{id}', 'x').replace('…/childFolders', 'me/mailFolders') ?? '';
}

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
