import { JOB_POLL_SECONDS, MAX_CHUNK_BYTES, SESSION_FROM_BYTES } from '../../shared/common/limits.ts';
import { bodyNameOf, fileNameOf } from './bodySchemas.ts';
import type { ErrorResponse } from './errorResponses.ts';
import {
  header,
  idHeaders,
  jsonContent,
  type OpenApiOperation,
  type OpenApiParameter,
  type OpenApiResponse,
  type PathItem,
  type Reference,
} from './openApiDocument.ts';
import type { DescribedItem } from './operations.ts';
import { ATTACHMENT_EXAMPLE } from './uploadOperations.ts';

/** Headers that a caller may send. */
export const HEADERS = {
  ClientRequestId: optional('header', 'client-request-id', {
    description: 'A GUID of your own. It goes to Graph, into the log and back to you.',
    'x-ms-summary': 'Client request id',
    'x-ms-visibility': 'advanced',
    schema: { type: 'string', format: 'uuid' },
  }),
  Prefer: optional('header', 'Prefer', {
    description:
      '`IdType="ImmutableId"` where the ids in the path are immutable ones. `respond-async` where a file at a `sourceUrl` is to be attached by a job.',
    'x-ms-summary': 'Prefer',
    'x-ms-visibility': 'advanced',
    schema: { type: 'string', examples: ['IdType="ImmutableId"', 'respond-async'] },
  }),
};

/** What the query says of a file whose bytes are the body; with JSON none of it is looked at. */
export const FILE_PARAMETERS = {
  FileName: optional('query', 'name', {
    description:
      'The name of the file, where the body is its bytes; or send `Content-Disposition: attachment; filename=…`.',
    'x-ms-summary': 'File name',
    'x-ms-visibility': 'important',
    schema: { type: 'string', examples: ['report.pdf'] },
  }),
  FileSize: optional('query', 'size', {
    description: `The length of the file in bytes, where it is sent with \`Transfer-Encoding: chunked\` and has ${SESSION_FROM_BYTES} bytes or more.`,
    'x-ms-summary': 'File size in bytes',
    'x-ms-visibility': 'advanced',
    schema: { type: 'integer', format: 'int64' },
  }),
  ContentType: optional('query', 'contentType', {
    description:
      'The media type of the file, if the header Content-Type does not have it. It takes precedence over the header.',
    'x-ms-summary': 'Media type',
    schema: { type: 'string', examples: ['application/pdf'] },
  }),
  IsInline: optional('query', 'isInline', {
    description: 'True for an image that the HTML body shows by its contentId.',
    'x-ms-summary': 'Is inline',
    'x-ms-visibility': 'advanced',
    schema: { type: 'boolean' },
  }),
  ContentId: optional('query', 'contentId', {
    description: 'The name that the HTML body uses in cid: addresses.',
    'x-ms-summary': 'Content id',
    'x-ms-visibility': 'advanced',
    schema: { type: 'string' },
  }),
};

export const ATTACH_HEADERS = {
  IdempotencyKey: optional('header', 'Idempotency-Key', {
    description:
      'A text of your own, new for each file. The same key with the same request gets the first answer again, for a day. For requests of workflows the run takes its place.',
    'x-ms-summary': 'Idempotency key',
    'x-ms-visibility': 'advanced',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  }),
};

const ATTACHMENT = jsonContent('Attachment', 'attachment', 'The attachment', ATTACHMENT_EXAMPLE);

export const ITEM_RESPONSES = {
  Attached: {
    description: 'The file is attached.',
    headers: idHeaders("The proxy's id of the call."),
    content: ATTACHMENT,
  },
  AttachInChunks: {
    description:
      'To a workflow that sends chunks (`x-ms-transfer-mode: chunked`, `x-ms-content-length`): the chunks go to Location. The answer to the last one has the attachment, which is the output of the action.',
    headers: {
      ...idHeaders("The proxy's id of the call."),
      Location: header('Where the chunks go. It is their credential.'),
      'x-ms-chunk-size': header(`The best length of a chunk: ${MAX_CHUNK_BYTES} bytes.`),
    },
    content: ATTACHMENT,
  },
  JobStarted: {
    description:
      'To `Prefer: respond-async` with a `sourceUrl`: a job attaches the file. Ask at Location until it is over. The body is the job: `status`, `percentComplete`, `nextExpectedRanges`.',
    headers: {
      ...idHeaders("The proxy's id of the call."),
      Location: header('The address of the job. It is its credential.'),
      'Retry-After': header(`When to ask, in seconds: ${JOB_POLL_SECONDS} or more.`),
      'Preference-Applied': header('`respond-async`'),
    },
  },
  UploadSession: {
    description: 'The upload session. Graph answers 201 for Outlook items and 200 for To Do tasks.',
    headers: idHeaders("Graph's id of the call."),
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/UploadSession' },
        examples: {
          uploadSession: {
            summary: 'An upload session',
            value: {
              uploadUrl:
                "https://outlook.office.com/api/v2.0/Users('…')/Messages('…')/AttachmentSessions('…')?authtoken=…",
              expirationDateTime: '2026-11-23T12:00:00.0000000Z',
              nextExpectedRanges: ['0-'],
            },
          },
          throughProxy: {
            summary: 'One whose bytes go through the proxy (UPLOAD_URL)',
            value: {
              uploadUrl: 'https://proxy.contoso.example/api/uploadSessions/…',
              expirationDateTime: '2026-11-23T12:00:00.0000000Z',
              nextExpectedRanges: ['0-5242879'],
            },
          },
        },
      },
    },
  },
} as const satisfies Record<string, OpenApiResponse>;

const NOT_FOR_APPS =
  'Graph lists no application permission for this: at present it refuses the proxy, and its refusal is relayed.';

const ABOUT_ME = "`me` is the user of a delegated token, else the caller's mailbox by the policy or ME_MAILBOX.";

/** The paths of an item: one attaches a file, the other opens an upload session. */
export function describeItem(
  item: DescribedItem,
  errors: readonly ErrorResponse[],
): readonly (readonly [path: string, PathItem<OpenApiOperation>])[] {
  const { kind, attach, openSession, isForApps, tag } = item;
  const notes = [...(attach.path.startsWith('/me/') ? [ABOUT_ME] : []), ...(isForApps ? [] : [NOT_FOR_APPS])];
  const parameters = [
    ...item.parameters.map(({ name, summary, description, example }) => ({
      name,
      in: 'path' as const,
      required: true,
      description,
      'x-ms-summary': summary,
      'x-ms-visibility': 'important' as const,
      schema: { type: 'string', examples: [example] },
    })),
    ...Object.keys(HEADERS).map((name) => referTo('parameters', name)),
  ];
  const errorResponses = Object.fromEntries(
    errors.map(([status]) => [status, referTo('responses', `Error${status}`)] as const),
  );
  const fileParameters = kind === 'todoTask' ? ['FileName', 'FileSize', 'ContentType'] : Object.keys(FILE_PARAMETERS);
  const attachFile: OpenApiOperation = {
    operationId: attach.operationId,
    tags: [tag],
    summary: attach.summary,
    description: [
      "Attaches a file of any size in one call. The body is the file's bytes, of any media type, or Graph's own JSON.",
      'With `Prefer: respond-async` a file at a `sourceUrl` is attached by a job.',
      ...notes,
    ].join(' '),
    'x-ms-visibility': isForApps ? 'important' : 'advanced',
    parameters: [...parameters, ...[...fileParameters, 'IdempotencyKey'].map((name) => referTo('parameters', name))],
    requestBody: {
      required: true,
      content: {
        'application/octet-stream': {},
        'application/json': { schema: referTo('schemas', fileNameOf(kind)) },
      },
    },
    responses: {
      '200': referTo('responses', 'AttachInChunks'),
      '201': referTo('responses', 'Attached'),
      '202': referTo('responses', 'JobStarted'),
      ...errorResponses,
    },
  };
  const createSession: OpenApiOperation = {
    operationId: openSession.operationId,
    tags: [tag],
    summary: openSession.summary,
    description: ["Answers with the uploadUrl that takes the file's bytes.", ...notes].join(' '),
    'x-ms-visibility': 'advanced',
    parameters,
    requestBody: {
      required: true,
      content: { 'application/json': { schema: referTo('schemas', bodyNameOf(kind)) } },
    },
    responses: {
      ...(kind === 'todoTask' && { '200': referTo('responses', 'UploadSession') }),
      '201': referTo('responses', 'UploadSession'),
      ...errorResponses,
    },
  };
  return [
    [attach.path, { post: attachFile }],
    [openSession.path, { post: createSession }],
  ];
}

function optional(
  place: 'query' | 'header',
  name: string,
  about: Omit<OpenApiParameter, 'name' | 'in' | 'required'>,
): OpenApiParameter {
  return { name, in: place, required: false, ...about };
}

function referTo(part: 'parameters' | 'schemas' | 'responses', name: string): Reference {
  return { $ref: `#/components/${part}/${name}` };
}
