import fc from 'fast-check';
import { ADELE, MARKETING, MEGAN } from '../../../local/emulators/graph/seed.ts';

/** One request as it goes over the wire. */
export interface FuzzRequest {
  readonly method: string;
  /** Below `/api/`, as written. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const ownerIds = [ADELE.userPrincipalName, ADELE.id, MEGAN.userPrincipalName, MARKETING.id, 'Adele@Contoso.Example'];

/** What must not get through, and spellings of it. */
const HOSTILE_IDS = [
  '',
  '.',
  '..',
  '%2e%2e',
  '..%2f..',
  '%2F',
  '%5C',
  '%252e%252e%252f',
  '%3Fa=b',
  '%23',
  '%00',
  '%0d%0aX:1',
  '%ff',
  '%',
  '%zz',
  "')/messages('x",
  '@evil.example',
  '$value',
  'a;b=c',
  '%F0%9F%98%80',
];

const idText = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('AAMkAGadele-message-1=', 'AQMkADAw_ATM0-', 'x') },
  { weight: 2, arbitrary: fc.string({ minLength: 1, maxLength: 40 }).map(encodeSafely) },
  { weight: 2, arbitrary: fc.constantFrom(...HOSTILE_IDS) },
);
const ownerId = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...ownerIds) }, idText);
const version = fc.constantFrom('', '', 'v1.0/', 'v1.0/', 'beta/', 'V1.0/', 'v2.0/', 'v1.0//');
const owner = fc.oneof(
  { weight: 3, arbitrary: ownerId.map((id) => `users/${id}`) },
  fc.constantFrom('me', 'Me', 'me/joinedGroups/x', 'users/me'),
  fc.tuple(fc.constantFrom('users', 'groups', 'USERS', 'drives'), ownerId).map(([root, id]) => `${root}/${id}`),
  ownerId.map((id) => `users('${id}')`),
);
const step = fc.oneof(
  fc.constantFrom('calendar', 'todo', 'outlook', 'event', 'inReplyTo', 'microsoft.graph.eventMessage', 'attachments'),
  fc
    .tuple(
      fc.constantFrom(
        ...['messages', 'events', 'mailFolders', 'childFolders', 'calendars', 'calendarGroups', 'calendarView'],
        ...['instances', 'lists', 'tasks', 'taskFolders', 'taskGroups', 'threads', 'conversations', 'posts'],
      ),
      idText,
      fc.boolean(),
    )
    .map(([name, id, inParentheses]) => (inParentheses ? `${name}('${id}')` : `${name}/${id}`)),
);
const item = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom('messages', 'events'), idText).map((parts) => parts.join('/')) },
  fc.array(step, { minLength: 1, maxLength: 4 }).map((steps) => steps.join('/')),
);
const action = fc.oneof(
  { weight: 18, arbitrary: fc.constant('attachments/createUploadSession') },
  fc.constantFrom(
    'Attachments/microsoft.graph.createUploadSession',
    'attachments/createUploadSession/',
    'attachments/createUploadSession/extra',
    'attachments',
    'attachments/x/$value',
    'send',
  ),
);
const query = fc.constantFrom('', '', '', '?', '?api-version=1', '?$select=id', '?code=x&a=%00');
const structuredPath = fc.tuple(version, owner, item, action, query).map(([v, o, i, a, q]) => `${v}${o}/${i}/${a}${q}`);

/** Characters that Node's client lets through in a request target. */
const targetCharacter = fc.constantFrom(...'abcABC012/%.~-_=;:@!$&()*+,\'"<>[]{}|^`\\?#');
const wildPath = fc.string({ unit: targetCharacter, maxLength: 120 });
const path = fc
  .oneof({ weight: 9, arbitrary: structuredPath }, wildPath)
  // The client itself must be able to write it, and a health check is no part of this.
  .filter((text) => /^[\x21-\x7e]*$/.test(text) && !/^\/*health/i.test(text));

const method = fc.oneof(
  { weight: 40, arbitrary: fc.constant('POST') },
  fc.constantFrom('GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'SEARCH'),
);

const VALID_ITEM = { attachmentType: 'file', name: 'report.pdf', size: 5_242_880 };
const member = fc.constantFrom(
  'attachmentType',
  'name',
  'size',
  'contentType',
  'isInline',
  'contentId',
  '__proto__',
  'Size',
);
const attachment = fc
  .dictionary(member, fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.integer(), fc.constantFrom('file', 'item')), {
    maxKeys: 4,
  })
  .map((changes) => ({ ...VALID_ITEM, ...changes }));
const parameter = fc.constantFrom('AttachmentItem', 'attachmentItem', 'attachmentInfo', 'value');
const bodyText = fc.oneof(
  { weight: 9, arbitrary: fc.constant({ AttachmentItem: VALID_ITEM }).map((value) => JSON.stringify(value)) },
  { weight: 3, arbitrary: fc.tuple(parameter, attachment).map(([name, value]) => JSON.stringify({ [name]: value })) },
  fc.json({ maxDepth: 4 }),
  fc.string({ maxLength: 200 }),
  fc.nat({ max: 5000 }).map((depth) => '['.repeat(depth)),
  fc.constantFrom('', ' ', 'null', '\uFEFF{}', `{"AttachmentItem":"${'x'.repeat(70_000)}"}`),
);
const body = fc.oneof(
  { weight: 9, arbitrary: bodyText.map((text) => Buffer.from(text)) },
  fc.uint8Array({ maxLength: 300 }),
);

const VALUE = /^[\x20-\x7e\x80-\xff]*$/;
const headerValue = fc.string({ unit: 'binary', maxLength: 60 }).filter((text) => VALUE.test(text));
const contentType = fc.oneof(
  { weight: 30, arbitrary: fc.constant('application/json') },
  fc.constantFrom(
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/json;charset=utf-16',
    'text/plain',
    ';;',
    '',
  ),
);
/** Names that mean something to the app, the platform or Graph. */
const headerName = fc.constantFrom(
  ...['authorization', 'prefer', 'traceparent', 'tracestate', 'x-ms-workflow-run-id', 'x-ms-client-tracking-id'],
  ...['content-encoding', 'accept', 'accept-encoding', 'x-functions-key', 'x-forwarded-for', 'x-forwarded-host'],
  ...[
    'x-http-method-override',
    'x-original-url',
    'x-ms-invocation-id',
    'x-ms-client-principal',
    'cookie',
    'odata-version',
  ],
);
const headers = fc
  .tuple(contentType, fc.dictionary(headerName, headerValue, { maxKeys: 4 }))
  .map(([type, others]) => ({ ...others, 'content-type': type }));

/** Requests of every degree of wrongness. About one in six is right, so that the later stages are reached as well. */
export const fuzzRequest: fc.Arbitrary<FuzzRequest> = fc.record({ method, path, headers, body });

function encodeSafely(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
