import type { Schema } from './bodySchemas.ts';
import type { OpenApiParameter, OpenApiResponse } from './openApiDocument.ts';

/** Headers that a caller may send. */
export const HEADERS = {
  ClientRequestId: {
    name: 'client-request-id',
    in: 'header',
    required: false,
    description: 'A GUID of your own. It goes to Graph, into the log and back to you.',
    'x-ms-summary': 'Client request id',
    'x-ms-visibility': 'advanced',
    schema: { type: 'string', format: 'uuid' },
  },
  Prefer: {
    name: 'Prefer',
    in: 'header',
    required: false,
    description:
      '`IdType="ImmutableId"` where the ids in the path are immutable ones. `respond-async` where a file at a `sourceUrl` is to be attached by a job.',
    'x-ms-summary': 'Prefer',
    'x-ms-visibility': 'advanced',
    schema: { type: 'string', examples: ['IdType="ImmutableId"', 'respond-async'] },
  },
} as const satisfies Record<string, OpenApiParameter>;

/** learn.microsoft.com/graph/api/resources/uploadsession. The date may have seven fractional digits. */
export const UPLOAD_SESSION = {
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

export const SESSION_RESPONSE: OpenApiResponse = {
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
};

/** The two ids that every answer has. */
export function idHeaders(requestId: string): OpenApiResponse['headers'] {
  return {
    'request-id': { description: requestId, schema: { type: 'string' } },
    'client-request-id': { description: "The caller's id, or one made for it.", schema: { type: 'string' } },
  };
}
