import hostJson from '../../host.json' with { type: 'json' };
import packageJson from '../../package.json' with { type: 'json' };
import { SETTINGS } from '../../shared/config/settings.ts';
import { ATTACH_HEADERS, ATTACH_RESPONSES, describeAttach, FILE_PARAMETERS } from './attachOperations.ts';
import { BODY_SCHEMAS, bodyNameOf, FILE_SCHEMAS } from './bodySchemas.ts';
import { describeErrors, ERROR_SCHEMAS, type ErrorResponse } from './errorResponses.ts';
import type { OpenApiDocument, OpenApiOperation, OpenApiResponse, PathItem } from './openApiDocument.ts';
import { type DescribedItem, describeItems } from './operations.ts';
import { describeUploadOperations, UPLOAD_PATH, UPLOAD_RESPONSES, UPLOAD_SCHEMAS } from './uploadOperations.ts';
import { HEADERS, idHeaders, SESSION_RESPONSE, UPLOAD_SESSION } from './uploadSession.ts';

/** The prefix of every path: `/api`. */
const BASE_PATH = `/${hostJson.extensions.http.routePrefix}`;

/** Builds the document from the schemas, the error table, the entity model and the settings that run. */
export function buildOpenApi(): OpenApiDocument {
  const errors = describeErrors();
  return {
    openapi: '3.1.0',
    info: { title: 'Graph Upload Session Proxy', version: packageJson.version, description: DESCRIPTION },
    servers: [{ url: BASE_PATH }],
    security: [{ functionKey: [] }, { entra: [] }],
    tags: TAGS,
    paths: {
      ...Object.fromEntries(describeItems().flatMap((item) => describePaths(item, errors))),
      [UPLOAD_PATH]: describeUploadOperations(),
    },
    components: {
      parameters: { ...HEADERS, ...FILE_PARAMETERS, ...ATTACH_HEADERS },
      responses: {
        ...ATTACH_RESPONSES,
        UploadSession: SESSION_RESPONSE,
        ...UPLOAD_RESPONSES,
        ...Object.fromEntries(errors.map((error) => [`Error${error.status}`, describeResponse(error)])),
      },
      schemas: { ...FILE_SCHEMAS, ...BODY_SCHEMAS, UploadSession: UPLOAD_SESSION, ...UPLOAD_SCHEMAS, ...ERROR_SCHEMAS },
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

const DESCRIPTION = [
  'Attaches files of any size to items of Microsoft Graph, for callers that hold no permission at Graph: in one call, or through an upload session.',
  'An upload session answers with an `uploadUrl`. Send the file there in ranges: below 4 MB each where the address is Graph’s, up to 8 MiB where it is one of the proxy (`/uploadSessions/{id}`). The uploadUrl holds its own permission: keep it secret, and send no Authorization header to it. A To Do uploadUrl of Graph is the exception: append `/content` and send a Graph token.',
  'Callers send a function key as `x-functions-key` or, where CALLER_AUTH is `entra`, an access token as `Authorization: Bearer …`.',
  'Each operation stands for a family of paths: mail folders, calendars, conversations and child items are taken as well, with or without `/v1.0` or `/beta` before them.',
].join('\n\n');

const NOT_FOR_APPS =
  'Graph lists no application permission for this: at present it refuses the proxy, and its refusal is relayed.';

const ABOUT_ME = "`me` is the user of a delegated token, else the caller's mailbox by the policy or ME_MAILBOX.";

const TAGS = [
  { name: 'Mail', description: 'Messages, as a rule drafts.' },
  { name: 'Calendar', description: 'Events of a mailbox.' },
  { name: 'Tasks', description: 'To Do tasks, and the Outlook tasks of Graph beta.' },
  { name: 'Groups', description: 'Events and posts of Microsoft 365 groups.' },
  { name: 'Uploads', description: 'The bytes of a file, where its uploadUrl is one of the proxy.' },
];

const SECURITY_SCHEMES = {
  functionKey: {
    type: 'apiKey',
    in: 'header',
    name: 'x-functions-key',
    description: `A function key of the Function App, where CALLER_AUTH is functionKey. Its default is ${SETTINGS.CALLER_AUTH.default}.`,
  },
  entra: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description: `An Entra access token, where CALLER_AUTH is entra. It must hold the role of API_ROLE (default ${SETTINGS.API_ROLE.default}).`,
  },
} as const;

function describePaths(
  item: DescribedItem,
  errors: readonly ErrorResponse[],
): readonly (readonly [path: string, PathItem<OpenApiOperation>])[] {
  const shared = {
    notes: [...(item.attach.path.startsWith('/me/') ? [ABOUT_ME] : []), ...(item.isForApps ? [] : [NOT_FOR_APPS])],
    parameters: [
      ...item.parameters.map(({ name, summary, description, example }) => ({
        name,
        in: 'path' as const,
        required: true,
        description,
        'x-ms-summary': summary,
        'x-ms-visibility': 'important' as const,
        schema: { type: 'string', examples: [example] },
      })),
      ...Object.keys(HEADERS).map((name) => ({ $ref: `#/components/parameters/${name}` })),
    ],
    errors: Object.fromEntries(
      errors.map(({ status }) => [status, { $ref: `#/components/responses/Error${status}` }] as const),
    ),
  };
  return [
    [item.attach.path, { post: describeAttach(item, shared) }],
    [item.openSession.path, { post: describeSession(item, shared) }],
  ];
}

function describeSession(
  { kind, openSession, tag }: DescribedItem,
  { notes, parameters, errors }: Parameters<typeof describeAttach>[1],
): OpenApiOperation {
  const statuses = kind === 'todoTask' ? ['200', '201'] : ['201'];
  return {
    operationId: openSession.operationId,
    tags: [tag],
    summary: openSession.summary,
    description: ["Answers with the uploadUrl that takes the file's bytes.", ...notes].join(' '),
    'x-ms-visibility': 'advanced',
    parameters,
    requestBody: {
      required: true,
      content: { 'application/json': { schema: { $ref: `#/components/schemas/${bodyNameOf(kind)}` } } },
    },
    responses: {
      ...Object.fromEntries(statuses.map((status) => [status, { $ref: '#/components/responses/UploadSession' }])),
      ...errors,
    },
  };
}

function describeResponse({ description, examples, headers }: ErrorResponse): OpenApiResponse {
  return {
    description,
    headers: {
      ...idHeaders("The proxy's id of the call; Graph's in an error of Graph's own."),
      ...Object.fromEntries(
        Object.entries(headers).map(([name, about]) => [name, { description: about, schema: { type: 'string' } }]),
      ),
    },
    content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorResponse' }, examples } },
  };
}
