import { MAX_CHUNK_BYTES, MAX_SLICE_BYTES } from '../../shared/common/limits.ts';
import { URL_PATHS } from '../../shared/routes.ts';
import type { Schema } from './bodySchemas.ts';
import {
  header,
  jsonContent,
  type OpenApiOperation,
  type OpenApiParameter,
  type OpenApiResponse,
  type PathItem,
} from './openApiDocument.ts';

/** Below the route prefix, as functions/uploadUrls.ts has them. */
export const UPLOAD_PATH = `/${URL_PATHS.upload}/{uploadId}`;
export const JOB_PATH = `/${URL_PATHS.job}/{jobId}`;

/** learn.microsoft.com/graph/api/resources/uploadsession. The date may have seven fractional digits. */
const UPLOAD_SESSION = {
  description: "Graph's uploadSession, unchanged but for an uploadUrl that leads through the proxy.",
  type: 'object',
  required: ['uploadUrl'],
  properties: {
    uploadUrl: {
      'x-ms-summary': 'Upload URL',
      description: 'Where the bytes go. Treat it as a secret.',
      type: 'string',
      format: 'uri',
    },
    expirationDateTime: {
      'x-ms-summary': 'Expiration time',
      description: 'When the uploadUrl ends, in UTC. Uploading does not move it.',
      type: 'string',
      format: 'date-time',
    },
    nextExpectedRanges: {
      'x-ms-summary': 'Next expected ranges',
      description: 'The bytes that are missing: at the start `0-`, or `0-` and the last byte at the proxy.',
      type: 'array',
      items: { type: 'string' },
    },
  },
} as const satisfies Schema;

const { expirationDateTime, nextExpectedRanges } = UPLOAD_SESSION.properties;

const PROGRESS = {
  expirationDateTime,
  nextExpectedRanges: {
    ...nextExpectedRanges,
    description: 'The bytes that are missing, as first and last byte. Empty where none is.',
  },
};

export const UPLOAD_SCHEMAS = {
  UploadSession: UPLOAD_SESSION,
  UploadProgress: { description: 'How far an upload is.', type: 'object', properties: PROGRESS },
  Upload: {
    description: 'How far an upload is, and what became of it.',
    type: 'object',
    required: ['status'],
    properties: {
      ...PROGRESS,
      status: {
        'x-ms-summary': 'Status',
        description: 'Only `uploading` goes on.',
        type: 'string',
        enum: ['uploading', 'completed', 'failed', 'cancelled'],
      },
      attachmentId: { 'x-ms-summary': 'Attachment id', description: 'Once it is completed.', type: 'string' },
      location: { 'x-ms-summary': 'Location', description: "Graph's address of the attachment.", type: 'string' },
      error: {
        'x-ms-summary': 'Error',
        description: 'Why it failed. Every further range gets the same.',
        type: 'object',
        properties: {
          code: { 'x-ms-summary': 'Error code', type: 'string' },
          message: { 'x-ms-summary': 'Error message', type: 'string' },
        },
      },
    },
  },
  Attachment: {
    description: "Graph's attachment without its bytes. Graph may give more members.",
    type: 'object',
    properties: {
      id: { 'x-ms-summary': 'Attachment id', type: 'string' },
      name: { 'x-ms-summary': 'File name', type: 'string' },
      contentType: { 'x-ms-summary': 'Media type', type: ['string', 'null'] },
      size: { 'x-ms-summary': 'Size in bytes', type: 'integer', format: 'int64' },
      isInline: { 'x-ms-summary': 'Is inline', type: 'boolean' },
      contentId: { 'x-ms-summary': 'Content id', type: ['string', 'null'] },
      lastModifiedDateTime: { 'x-ms-summary': 'Last modified', type: ['string', 'null'], format: 'date-time' },
    },
  },
} as const satisfies Record<string, Schema>;

const HELD = { expirationDateTime: '2026-11-23T12:00:00.0000000Z', nextExpectedRanges: ['5242880-20971519'] };
/** As Graph gives it. */
export const ATTACHMENT_EXAMPLE = {
  '@odata.type': '#microsoft.graph.fileAttachment',
  id: 'AAMkAGI2TH4AAABEgAQ=',
  name: 'report.pdf',
  contentType: 'application/pdf',
  size: 20_971_520,
  isInline: false,
  contentId: null,
  lastModifiedDateTime: '2026-11-23T10:00:00Z',
};

export const UPLOAD_RESPONSES = {
  UploadProgress: {
    description: 'The range is held, or was held already. The bytes from `nextExpectedRanges` on are missing.',
    headers: {},
    content: jsonContent('UploadProgress', 'upload', 'A part of the file is held', HELD),
  },
  UploadAttached: {
    description: 'The file is attached. There is no body; the same range again gets the same answer.',
    headers: { Location: header("Graph's address of the attachment; the last key in it is the attachment's id.") },
  },
  UploadChunk: {
    description: 'The chunk is held. The answer to the last one has the attachment; the others have no body.',
    headers: {
      Range: header('All that is held, as `bytes=0-<last byte>`.'),
      'x-ms-chunk-size': header(`The best length for the next chunk: ${MAX_CHUNK_BYTES} bytes.`),
    },
    content: jsonContent('Attachment', 'upload', 'The file is attached', ATTACHMENT_EXAMPLE),
  },
  Upload: {
    description: 'The upload.',
    headers: {},
    content: jsonContent('Upload', 'upload', 'It goes on', { ...HELD, status: 'uploading' }),
  },
  JobGoesOn: {
    description: 'The job is running. The body has `status`, `percentComplete` and `nextExpectedRanges`.',
    headers: {
      Location: header('The same address.'),
      'Retry-After': header('When to ask, in seconds.'),
    },
  },
  JobAttached: {
    description: 'The file is attached. The body is the attachment.',
    headers: {},
  },
  UploadCancelled: {
    description: 'It is cancelled, here and at Graph, or had ended without an attachment.',
    headers: {},
  },
} as const satisfies Record<string, OpenApiResponse>;

const UPLOAD_ID: OpenApiParameter = {
  name: 'uploadId',
  in: 'path',
  required: true,
  description: 'The last segment of the uploadUrl, as it came: it is the credential.',
  'x-ms-summary': 'Upload id',
  'x-ms-visibility': 'important',
  schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$' },
};

const JOB_ID: OpenApiParameter = {
  ...UPLOAD_ID,
  name: 'jobId',
  description: 'The last segment of the URL in Location: it is the credential.',
  'x-ms-summary': 'Job id',
};

const CONTENT_RANGE: OpenApiParameter = {
  name: 'Content-Range',
  in: 'header',
  required: true,
  description: `The place of the bytes in the file. At most ${MAX_SLICE_BYTES} bytes at once; ranges go in order.`,
  'x-ms-summary': 'Content range',
  'x-ms-visibility': 'important',
  schema: { type: 'string', examples: ['bytes 0-5242879/20971520'] },
};

const CALL_ID = { $ref: '#/components/parameters/ClientRequestId' };

/** What every operation can get; the statuses of single operations stand with them. */
const ERRORS = ['404', '405', '4XX', '499', '500', '501', '502', '503', '504'];
const RANGE_ERRORS = ['400', '408', '409', '410', '416', '429'];

/** The address is the credential and no other is looked at. Nobody fills its id into a form: makers of workflows do not see these. */
const OPEN = { tags: ['Uploads'], 'x-ms-visibility': 'internal', security: [] } as const;

const BYTES = { required: true, content: { 'application/octet-stream': {} } } as const;

/** What functions/uploadSession.ts takes at an upload's address. */
export function describeUploadOperations(): PathItem<OpenApiOperation> {
  return {
    put: {
      ...OPEN,
      operationId: 'SendRange',
      summary: 'Send a range of the file',
      description:
        'Bytes that are held already are not sent again, so a range may be repeated and may overlap. A range that begins too far on gets 416.',
      parameters: [UPLOAD_ID, CONTENT_RANGE, CALL_ID],
      requestBody: BYTES,
      responses: responses({ 200: 'UploadProgress', 201: 'UploadAttached' }, RANGE_ERRORS),
    },
    patch: {
      ...OPEN,
      operationId: 'SendChunk',
      summary: 'Send a chunk of the file, as workflows do',
      description: 'The form of chunked messages of Logic Apps: `Content-Range` may be `bytes=0-9/10` as well.',
      parameters: [UPLOAD_ID, CONTENT_RANGE, CALL_ID],
      requestBody: BYTES,
      responses: responses({ 200: 'UploadChunk' }, RANGE_ERRORS),
    },
    get: {
      ...OPEN,
      operationId: 'ShowUpload',
      summary: 'Show an upload',
      description: 'Its progress and outcome: unfinished uploads until the session ends, others for a day.',
      parameters: [UPLOAD_ID, CALL_ID],
      responses: responses({ 200: 'Upload' }, []),
    },
    delete: {
      ...OPEN,
      operationId: 'CancelUpload',
      summary: 'Cancel an upload',
      description: 'Where the file is attached already, the answer is 409.',
      parameters: [UPLOAD_ID, CALL_ID],
      responses: responses({ 204: 'UploadCancelled' }, ['409']),
    },
  };
}

/** What functions/uploadUrls.ts takes at a job's URL. */
export function describeJobOperations(): PathItem<OpenApiOperation> {
  return {
    get: {
      ...OPEN,
      operationId: 'GetJob',
      summary: 'Read the status of a job',
      description: '202 while it runs, then 201 with the attachment, or the error that ended it, which is a 4xx.',
      parameters: [JOB_ID, CALL_ID],
      responses: responses({ 201: 'JobAttached', 202: 'JobGoesOn' }, ['410']),
    },
    delete: {
      ...OPEN,
      operationId: 'CancelJob',
      summary: 'Cancel a job',
      description: 'If the file is attached already, the response is 409.',
      parameters: [JOB_ID, CALL_ID],
      responses: responses({ 204: 'UploadCancelled' }, ['409']),
    },
  };
}

function responses(
  successes: Readonly<Record<number, keyof typeof UPLOAD_RESPONSES>>,
  errors: readonly string[],
): OpenApiOperation['responses'] {
  const names = [
    ...Object.entries(successes),
    ...[...errors, ...ERRORS].sort().map((status) => [status, `Error${status}`] as const),
  ];
  return Object.fromEntries(names.map(([status, name]) => [status, { $ref: `#/components/responses/${name}` }]));
}
