import { JOB_POLL_SECONDS, MAX_CHUNK_BYTES, SESSION_FROM_BYTES } from '../../shared/common/limits.ts';
import { fileNameOf } from './bodySchemas.ts';
import type { OpenApiOperation, OpenApiParameter, OpenApiResponse, Reference } from './openApiDocument.ts';
import type { DescribedItem } from './operations.ts';
import { ATTACHMENT_EXAMPLE } from './uploadOperations.ts';
import { idHeaders } from './uploadSession.ts';

/** What the query says of a file whose bytes are the body; with JSON none of it is looked at. */
export const FILE_PARAMETERS = {
  FileName: {
    name: 'name',
    in: 'query',
    required: false,
    description:
      'The name of the file, where the body is its bytes; or send `Content-Disposition: attachment; filename=…`.',
    'x-ms-summary': 'File name',
    'x-ms-visibility': 'important',
    schema: { type: 'string', examples: ['report.pdf'] },
  },
  FileSize: {
    name: 'size',
    in: 'query',
    required: false,
    description: `The length of the file in bytes, where it is sent with \`Transfer-Encoding: chunked\` and has ${SESSION_FROM_BYTES} bytes or more.`,
    'x-ms-summary': 'File size in bytes',
    'x-ms-visibility': 'advanced',
    schema: { type: 'integer', format: 'int64' },
  },
  ContentType: {
    name: 'contentType',
    in: 'query',
    required: false,
    description:
      'The media type of the file, if the header Content-Type does not have it. It takes precedence over the header.',
    'x-ms-summary': 'Media type',
    schema: { type: 'string', examples: ['application/pdf'] },
  },
  IsInline: {
    name: 'isInline',
    in: 'query',
    required: false,
    description: 'True for an image that the HTML body shows by its contentId.',
    'x-ms-summary': 'Is inline',
    'x-ms-visibility': 'advanced',
    schema: { type: 'boolean' },
  },
  ContentId: {
    name: 'contentId',
    in: 'query',
    required: false,
    description: 'The name that the HTML body uses in cid: addresses.',
    'x-ms-summary': 'Content id',
    'x-ms-visibility': 'advanced',
    schema: { type: 'string' },
  },
} as const satisfies Record<string, OpenApiParameter>;

export const ATTACH_HEADERS = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    description:
      'A text of your own, new for each file. The same key with the same request gets the first answer again, for a day. For requests of workflows the run takes its place.',
    'x-ms-summary': 'Idempotency key',
    'x-ms-visibility': 'advanced',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
  },
} as const satisfies Record<string, OpenApiParameter>;

const ATTACHMENT = {
  'application/json': {
    schema: { $ref: '#/components/schemas/Attachment' },
    examples: { attachment: { summary: 'The attachment', value: ATTACHMENT_EXAMPLE } },
  },
} as const;

export const ATTACH_RESPONSES = {
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
      Location: { description: 'Where the chunks go. It is their credential.', schema: { type: 'string' } },
      'x-ms-chunk-size': {
        description: `The best length of a chunk: ${MAX_CHUNK_BYTES} bytes.`,
        schema: { type: 'string' },
      },
    },
    content: ATTACHMENT,
  },
  JobStarted: {
    description:
      'To `Prefer: respond-async` with a `sourceUrl`: a job attaches the file. Ask at Location until it is over. The body is the job: `status`, `percentComplete`, `nextExpectedRanges`.',
    headers: {
      ...idHeaders("The proxy's id of the call."),
      Location: { description: 'The address of the job. It is its credential.', schema: { type: 'string' } },
      'Retry-After': {
        description: `When to ask, in seconds: ${JOB_POLL_SECONDS} or more.`,
        schema: { type: 'string' },
      },
      'Preference-Applied': { description: '`respond-async`', schema: { type: 'string' } },
    },
  },
} as const satisfies Record<string, OpenApiResponse>;

/** @param shared what all operations on the item have */
export function describeAttach(
  { kind, attach, tag, isForApps }: DescribedItem,
  shared: {
    readonly notes: readonly string[];
    readonly parameters: OpenApiOperation['parameters'];
    readonly errors: OpenApiOperation['responses'];
  },
): OpenApiOperation {
  const names = kind === 'todoTask' ? (['FileName', 'FileSize', 'ContentType'] as const) : Object.keys(FILE_PARAMETERS);
  return {
    operationId: attach.operationId,
    tags: [tag],
    summary: attach.summary,
    description: [
      "Attaches a file of any size in one call. The body is the file's bytes, of any media type, or Graph's own JSON.",
      'With `Prefer: respond-async` a file at a `sourceUrl` is attached by a job.',
      ...shared.notes,
    ].join(' '),
    'x-ms-visibility': isForApps ? 'important' : 'advanced',
    parameters: [
      ...shared.parameters,
      ...names.map((name) => referTo('parameters', name)),
      referTo('parameters', 'IdempotencyKey'),
    ],
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
      ...shared.errors,
    },
  };
}

function referTo(part: 'parameters' | 'schemas' | 'responses', name: string): Reference {
  return { $ref: `#/components/${part}/${name}` };
}
