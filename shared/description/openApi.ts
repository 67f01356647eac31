import hostJson from '../../host.json' with { type: 'json' };
import packageJson from '../../package.json' with { type: 'json' };
import { SETTINGS } from '../config/settings.ts';
import { BODY_SCHEMAS, bodyNameOf } from './bodySchemas.ts';
import { describeErrors, ERROR_SCHEMAS, type ErrorResponse } from './errorResponses.ts';
import type { OpenApiDocument, OpenApiOperation, OpenApiResponse } from './openApiDocument.ts';
import { describeOperations, type Operation } from './operations.ts';
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
      ...Object.fromEntries(
        describeOperations().map((operation) => [operation.path, { post: describeOperation(operation, errors) }]),
      ),
      [UPLOAD_PATH]: describeUploadOperations(),
    },
    components: {
      parameters: HEADERS,
      responses: {
        UploadSession: SESSION_RESPONSE,
        ...UPLOAD_RESPONSES,
        ...Object.fromEntries(errors.map((error) => [`Error${error.status}`, describeResponse(error)])),
      },
      schemas: { ...BODY_SCHEMAS, UploadSession: UPLOAD_SESSION, ...UPLOAD_SCHEMAS, ...ERROR_SCHEMAS },
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

const DESCRIPTION = [
  'Opens an upload session at Microsoft Graph for one large attachment. Send the file itself to the `uploadUrl` of the answer, in ranges: below 4 MB each where the address is Graph’s, up to 8 MiB where it is one of the proxy (`/uploadSessions/{id}`).',
  'Callers send a function key as `x-functions-key` or, where CALLER_AUTH is `entra`, an access token as `Authorization: Bearer …`.',
  'The uploadUrl holds its own permission: keep it secret, and send no Authorization header to it. A To Do uploadUrl of Graph is the exception: append `/content` and send a Graph token.',
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

function describeOperation(operation: Operation, errors: readonly ErrorResponse[]): OpenApiOperation {
  const body = bodyNameOf(operation.kind);
  const statuses = operation.kind === 'todoTask' ? ['200', '201'] : ['201'];
  return {
    operationId: operation.operationId,
    tags: [operation.tag],
    summary: operation.summary,
    description: [
      "Answers with the uploadUrl that takes the file's bytes.",
      ...(operation.path.startsWith('/me/') ? [ABOUT_ME] : []),
      ...(operation.isForApps ? [] : [NOT_FOR_APPS]),
    ].join(' '),
    'x-ms-visibility': operation.isForApps ? 'important' : 'advanced',
    parameters: [
      ...operation.parameters.map(({ name, summary, description, example }) => ({
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
    requestBody: {
      required: true,
      content: { 'application/json': { schema: { $ref: `#/components/schemas/${body}` } } },
    },
    responses: {
      ...Object.fromEntries(statuses.map((status) => [status, { $ref: '#/components/responses/UploadSession' }])),
      ...Object.fromEntries(errors.map(({ status }) => [status, { $ref: `#/components/responses/Error${status}` }])),
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
