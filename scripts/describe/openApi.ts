import hostJson from '../../host.json' with { type: 'json' };
import packageJson from '../../package.json' with { type: 'json' };
import { SETTINGS } from '../../shared/config/settings.ts';
import { BODY_SCHEMAS, FILE_SCHEMAS } from './bodySchemas.ts';
import { describeErrors, ERROR_SCHEMAS } from './errorResponses.ts';
import { ATTACH_HEADERS, describeItem, FILE_PARAMETERS, HEADERS, ITEM_RESPONSES } from './itemOperations.ts';
import { describeMailOperations, MAIL_RESPONSES, MAIL_SCHEMAS } from './mailOperations.ts';
import type { OpenApiDocument } from './openApiDocument.ts';
import { describeItems } from './operations.ts';
import {
  describeJobOperations,
  describeUploadOperations,
  JOB_PATH,
  UPLOAD_PATH,
  UPLOAD_RESPONSES,
  UPLOAD_SCHEMAS,
} from './uploadOperations.ts';

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
      ...Object.fromEntries(describeItems().flatMap((item) => describeItem(item, errors))),
      ...describeMailOperations(errors),
      [UPLOAD_PATH]: describeUploadOperations(),
      [JOB_PATH]: describeJobOperations(),
    },
    components: {
      parameters: { ...HEADERS, ...FILE_PARAMETERS, ...ATTACH_HEADERS },
      responses: {
        ...ITEM_RESPONSES,
        ...MAIL_RESPONSES,
        ...UPLOAD_RESPONSES,
        ...Object.fromEntries(errors.map(([status, response]) => [`Error${status}`, response])),
      },
      schemas: { ...FILE_SCHEMAS, ...BODY_SCHEMAS, ...MAIL_SCHEMAS, ...UPLOAD_SCHEMAS, ...ERROR_SCHEMAS },
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

const DESCRIPTION = [
  'Sends mails with files of any size, and attaches such files to items of Microsoft Graph, for callers without a permission in Graph: in one call, or through an upload session.',
  'An upload session answers with an `uploadUrl`. Send the file there in ranges: below 4 MB each where the address is Graph’s, up to 8 MiB where it is one of the proxy (`/uploadSessions/{id}`). The uploadUrl holds its own permission: keep it secret, and send no Authorization header to it. A To Do uploadUrl of Graph is the exception: append `/content` and send a Graph token.',
  'Callers send a function key as `x-functions-key` or, where CALLER_AUTH is `entra`, an access token as `Authorization: Bearer …`.',
  'Each operation stands for a family of paths: mail folders, calendars, conversations and child items are taken as well, with or without `/v1.0` or `/beta` before them.',
].join('\n\n');

const TAGS = [
  { name: 'Mail', description: 'Messages, as a rule drafts.' },
  { name: 'Calendar', description: 'Events of a mailbox.' },
  { name: 'Tasks', description: 'To Do tasks, and the Outlook tasks of Graph beta.' },
  { name: 'Groups', description: 'Events and posts of Microsoft 365 groups.' },
  { name: 'Uploads', description: 'The bytes of a file, if its uploadUrl is one of the proxy, and jobs.' },
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
