import fc from 'fast-check';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { ENTITY_TYPES, type EntityTypeName, type NavigationProperty } from '../../shared/paths/entityModel.ts';
import { sendRaw } from '../support/probeApp/sendRaw.ts';
import {
  ATTACHMENT_INFO,
  ATTACHMENT_ITEM,
  expectGraphError,
  graphErrorBody,
  postJson,
  type Site,
  startSite,
} from '../support/site.ts';

const ME = ADELE.userPrincipalName;
const VERSIONS = ['v1.0', 'beta'] as const;
const SPELLINGS = ['slashes', 'parentheses'] as const;
type Spelling = (typeof SPELLINGS)[number];

/** `messages/{}` is a collection with a key, `calendar` a segment without one. */
const FAMILIES_OF_THE_SPECIFICATION = [
  ['me/messages/{}', `users/${ME}/messages/{}`],
  ['me/messages/{}/event', `users/${ME}/messages/{}/event`],
  ['me/messages/{}/microsoft.graph.eventMessage/event', `users/${ME}/messages/{}/microsoft.graph.eventMessage/event`],
  ['me/outlook/taskGroups/{}/taskFolders/{}/tasks/{}', `users/${ME}/outlook/taskGroups/{}/taskFolders/{}/tasks/{}`],
  ['me/joinedGroups/{}/conversations/{}/threads/{}/posts/{}', 'groups/{}/conversations/{}/threads/{}/posts/{}'],
] as const;

const BELOW_A_USER = [
  'mailFolders/{}/messages/{}',
  'mailFolders/{}/messages/{}/event',
  'mailFolders/{}/messages/{}/microsoft.graph.eventMessage',
  'mailFolders/{}/childFolders/{}/messages/{}',
  'mailFolders/{}/childFolders/{}/childFolders/{}/childFolders/{}/messages/{}',
  'messages/{}/microsoft.graph.eventMessage',
  'messages/{}/event/instances/{}',
  'events/{}',
  'events/{}/instances/{}',
  'events/{}/exceptionOccurrences/{}',
  'events/{}/instances/{}/exceptionOccurrences/{}',
  'calendar/events/{}',
  'calendar/events/{}/instances/{}',
  'calendar/calendarView/{}',
  'calendars/{}/events/{}',
  'calendars/{}/events/{}/exceptionOccurrences/{}',
  'calendars/{}/calendarView/{}',
  'calendarGroups/{}/calendars/{}/events/{}',
  'calendarGroups/{}/calendars/{}/calendarView/{}',
  'calendarView/{}',
  'calendarView/{}/instances/{}',
  'todo/lists/{}/tasks/{}',
  'outlook/tasks/{}',
  'outlook/taskFolders/{}/tasks/{}',
];

const BELOW_A_GROUP = [
  'events/{}',
  'events/{}/instances/{}',
  'events/{}/exceptionOccurrences/{}',
  'calendar/events/{}',
  'calendar/calendarView/{}',
  'calendarView/{}',
  'threads/{}/posts/{}',
  'threads/{}/posts/{}/inReplyTo',
  'conversations/{}/threads/{}/posts/{}',
  'conversations/{}/threads/{}/posts/{}/inReplyTo',
];

const OTHER_PATHS: [string, string][] = [
  ...BELOW_A_USER.map((path): [string, string] => [`me/${path}`, `users/${ME}/${path}`]),
  ...BELOW_A_USER.map((path): [string, string] => [`users/{}/${path}`, `users/{}/${path}`]),
  ...BELOW_A_GROUP.map((path): [string, string] => [`groups/{}/${path}`, `groups/{}/${path}`]),
  ...BELOW_A_GROUP.map((path): [string, string] => [`me/joinedGroups/{}/${path}`, `groups/{}/${path}`]),
];

let site: Site;

beforeAll(async () => {
  site = await startSite({
    settings: { ALLOW_ANY_MAILBOX: 'true' },
    graph: { anyItem: true, appOnlyFamilies: 'all' },
  });
});
beforeEach(() => site.graph.reset());
afterAll(() => site.close());

/** Writes ids into a path. An id that holds a quote has it doubled in parentheses. */
function spell(template: string, ids: readonly string[], spelling: Spelling): string {
  const keys = ids.values();
  return template.replaceAll('/{}', () => {
    const id = keys.next().value ?? '';
    return spelling === 'slashes'
      ? `/${encodeURIComponent(id)}`
      : `('${encodeURIComponent(id.replaceAll("'", "''"))}')`;
  });
}

function idsFor(template: string): string[] {
  return [...template.matchAll(/\{\}/g)].map((_, index) => `AAMk-_${index}+:@'x=`);
}

/** What Graph received, each segment decoded. */
function upstreamSegments(): string[][] {
  return site.graph.requests.map(({ path }) => path.split('/').slice(1).map(decodeURIComponent));
}

function expectedSegments(version: string, template: string, ids: readonly string[]): string[] {
  const keys = ids.values();
  const item = template.split(/\/(?!\{)/).flatMap((segment) => {
    if (!segment.endsWith('/{}')) return [segment];
    const [name = '', id = ''] = [segment.slice(0, -'/{}'.length), keys.next().value];
    return id.startsWith('$') ? [`${name}('${id.replaceAll("'", "''")}')`] : [name, id];
  });
  return [item.includes('outlook') ? 'beta' : version, ...item, 'attachments', 'createUploadSession'];
}

function bodyFor(template: string): unknown {
  return template.includes('todo') ? ATTACHMENT_INFO : ATTACHMENT_ITEM;
}

describe.each(VERSIONS)('%s', (version) => {
  describe.each(SPELLINGS)('keys in %s', (spelling) => {
    test.each([...FAMILIES_OF_THE_SPECIFICATION, ...OTHER_PATHS])('relays %s', async (template, upstream) => {
      const ids = idsFor(template);

      const path = `${spell(template, ids, spelling)}/attachments/createUploadSession`;
      const response = await postJson(`${site.api}/${version}/${path}`, bodyFor(template));

      expect([response.status, await response.json()]).toEqual([
        template.includes('todo') ? 200 : 201,
        expect.objectContaining({ uploadUrl: expect.any(String) }),
      ]);
      expect(upstreamSegments()).toEqual([expectedSegments(version, upstream, ids)]);
    });
  });
});

test.each([
  ['without a version', 'me/messages/AAMk=/attachments/createUploadSession'],
  ['a qualified action', 'v1.0/me/messages/AAMk=/attachments/microsoft.graph.createUploadSession'],
  ['an action with the alias', 'v1.0/me/messages/AAMk=/attachments/graph.createUploadSession'],
  ['names in any case', 'V1.0/ME/Messages/AAMk=/ATTACHMENTS/createuploadsession'],
  ['users/me', 'v1.0/users/me/messages/AAMk=/attachments/createUploadSession'],
  ["users('me')", "v1.0/users('me')/messages('AAMk=')/attachments/createUploadSession"],
  ['a named key', "v1.0/me/messages(id='AAMk=')/attachments/createUploadSession"],
  ['a trailing slash', 'v1.0/me/messages/AAMk=/attachments/createUploadSession/'],
  ['a query', 'v1.0/me/messages/AAMk=/attachments/createUploadSession?$select=uploadUrl'],
])('takes %s', async (_, path) => {
  const response = await postJson(`${site.api}/${path}`);

  expect(response.status).toBe(201);
  expect(site.graph.requests[0]?.path).not.toContain('?');
  expect(upstreamSegments()).toEqual([expectedSegments('v1.0', `users/${ME}/messages/{}`, ['AAMk='])]);
});

test.each(['AAMk=', 'a-b_c', 'a+b', 'a%2Bb', 'a:b', 'a@b', "a'b", 'a%27b', 'a%20b', 'a%3Db', '...', '%C3%A9'])(
  'carries the id %s as it was meant',
  async (segment) => {
    const answer = await sendRaw(
      site.url,
      jsonPost(`/api/v1.0/me/messages/${segment}/attachments/createUploadSession`),
    );

    expect(answer.status).toBe(201);
    expect(upstreamSegments()[0]?.[4]).toBe(decodeURIComponent(segment));
  },
);

test.each(['%2F', '%252F', '%5C', '%3F', '%23', '%0A', '%0d', '%7f', '%C2%85', '%25', '%252e%252e', '%E2%82', '..%2f'])(
  'refuses an id with %s, and Graph hears nothing of it',
  async (escaped) => {
    const paths = [
      `me/messages/AAMk${escaped}x`,
      `me/messages/${escaped}`,
      `me/messages('${escaped}')`,
      `users/a${escaped}b/messages/AAMk`,
      `me/joinedGroups/g${escaped}/threads/t/posts/p`,
    ];
    for (const path of paths) {
      const answer = await sendRaw(site.url, jsonPost(`/api/v1.0/${path}/attachments/createUploadSession`));

      expect([path, answer.status, JSON.parse(answer.text)]).toEqual([path, 400, graphErrorBody('InvalidId')]);
    }
    expect(site.graph.requests).toEqual([]);
  },
);

test.each(["me/messages('')", "me/messages('.')", "me/messages('..')", 'me/messages/', "users('')/messages/AAMk"])(
  'refuses the empty and dot ids of %s',
  async (path) => {
    const answer = await sendRaw(site.url, jsonPost(`/api/v1.0/${path}/attachments/createUploadSession`));

    expect([answer.status, JSON.parse(answer.text)]).toEqual([400, graphErrorBody('InvalidId')]);
    expect(site.graph.requests).toEqual([]);
  },
);

test.each(['.', '..', '%2e%2e', '%2E.', 'x/%2e%2e/..'])(
  'never lets Graph see the dot segment %s, which the platform resolves before',
  async (segment) => {
    const answer = await sendRaw(
      site.url,
      jsonPost(`/api/v1.0/me/messages/${segment}/attachments/createUploadSession`),
    );

    expect([answer.status, JSON.parse(answer.text)]).toEqual([404, graphErrorBody('PathNotSupported')]);
    expect(site.graph.requests).toEqual([]);
  },
);

test.each([
  '',
  'v1.0',
  'me',
  'me/events/AAMk=',
  'me/messages/AAMk=/attachments/createUploadSession/x',
  'me/messages/AAMk=/createUploadSession',
  'me/drive/items/AAMk=/createUploadSession',
  'me/contacts/AAMk=/attachments/createUploadSession',
  'me/messages/AAMk=/microsoft.graph.event/attachments/createUploadSession',
  "me/calendar('x')/events/AAMk=/attachments/createUploadSession",
  'v2.0/me/messages/AAMk=/attachments/createUploadSession',
])('answers 404 to /api/%s and names the nearest supported path', async (path) => {
  const response = await postJson(`${site.api}/${path}`);

  const { message } = await expectGraphError(response, 404, 'PathNotSupported');
  expect(message).toMatch(
    /The nearest supported path is \S+\/attachments(\/createUploadSession)?; docs\/api\/paths\.md lists all\.$/,
  );
  expect(site.graph.requests).toEqual([]);
});

describe('paths drawn from the entity model', () => {
  const ID = fc
    .string({ unit: fc.constantFrom(..."AZaz09=-_+:@'().,;!$&*~ é€😀"), minLength: 1, maxLength: 20 })
    .filter((id) => id !== '.' && id !== '..' && !id.startsWith('error='));

  test('arrive at Graph as the app-only path', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('users', 'groups'),
        fc.constantFrom(...VERSIONS),
        fc.constantFrom(...SPELLINGS),
        fc.array(fc.nat({ max: 8 }), { maxLength: 6 }),
        fc.infiniteStream(ID),
        async (root, version, spelling, choices, draws) => {
          const template = `${root}/{}${walk(root === 'users' ? 'user' : 'group', choices)}`;
          const ids = idsFor(template).map(() => draws.next().value);
          if (ids[0]?.toLowerCase() === 'me') ids[0] = 'you';
          site.graph.reset();

          const path = `${spell(template, ids, spelling)}/attachments/createUploadSession`;
          const response = await postJson(`${site.api}/${version}/${path}`, bodyFor(template));

          expect([path, response.status]).toEqual([path, template.includes('todo') ? 200 : 201]);
          expect(upstreamSegments()).toEqual([expectedSegments(version, template, ids)]);
        },
      ),
      { numRuns: 150 },
    );
  });

  /** Follows one navigation property for each choice, then the first ones until an item is reached. */
  function walk(start: EntityTypeName, choices: readonly number[]): string {
    let type = start;
    let path = '';
    for (const choice of choices) {
      const ways = waysFrom(type);
      const way = ways[choice % Math.max(ways.length, 1)];
      if (way === undefined) return path;
      path += way.path;
      type = way.to;
    }
    while (ENTITY_TYPES[type].item === undefined) {
      const [way] = waysFrom(type);
      if (way === undefined) throw new Error(`No item lies below ${type}.`);
      path += way.path;
      type = way.to;
    }
    return path;
  }

  function waysFrom(type: EntityTypeName): { path: string; to: EntityTypeName }[] {
    const steps = Object.entries<NavigationProperty>(ENTITY_TYPES[type].navigation).map(([name, { to, many }]) => ({
      path: many ? `/${name}/{}` : `/${name}`,
      to,
    }));
    const casts = entityTypes()
      .filter((derived) => ENTITY_TYPES[derived].derivesFrom === type)
      .map((derived) => ({ path: `/microsoft.graph.${derived}`, to: derived }));
    return [...steps, ...casts];
  }

  function entityTypes(): EntityTypeName[] {
    const isEntityType = (name: string): name is EntityTypeName => name in ENTITY_TYPES;
    return Object.keys(ENTITY_TYPES).filter(isEntityType);
  }
});

function jsonPost(target: string) {
  const body = Buffer.from(JSON.stringify(ATTACHMENT_ITEM));
  const headers = ['Content-Type', 'application/json', 'Content-Length', String(body.length)];
  return { method: 'POST', target, headers, body };
}
