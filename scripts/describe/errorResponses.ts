import { DETAIL_CODES, ERRORS, type ErrorCode, type ErrorDetail, ServiceError } from '../../shared/errors.ts';
import { errorResponse } from '../../shared/server/response.ts';
import type { Schema } from './bodySchemas.ts';
import { header, idHeaders, type OpenApiResponse } from './openApiDocument.ts';

/** A response of the API description. `4XX` covers every status that is not named. */
export type ErrorResponse = readonly [status: `${number}` | '4XX', response: OpenApiResponse];

/** Error codes are an open set: those of the proxy, and whatever Graph answers itself. */
export const ERROR_SCHEMAS = {
  ErrorCode: { description: 'The codes of the proxy itself.', type: 'string', enum: Object.keys(ERRORS) },
  DetailCode: { description: 'One fault of the request each.', type: 'string', enum: Object.keys(DETAIL_CODES) },
  ErrorResponse: {
    description: "An error in Graph's shape. Errors of Graph itself are relayed unchanged and may have more members.",
    type: 'object',
    required: ['error'],
    properties: {
      error: {
        'x-ms-summary': 'Error',
        type: 'object',
        required: ['code', 'message'],
        properties: {
          code: {
            'x-ms-summary': 'Error code',
            description: "A code of the proxy, or one of Graph's own.",
            anyOf: [{ $ref: '#/components/schemas/ErrorCode' }, { type: 'string' }],
          },
          message: { 'x-ms-summary': 'Error message', description: 'For people.', type: 'string' },
          target: {
            'x-ms-summary': 'Error target',
            description:
              'What is faulty: a member of the body as a JSON pointer, `?name` for a parameter of the query, or a header.',
            type: 'string',
          },
          details: {
            'x-ms-summary': 'Error details',
            description: 'Every fault of the request.',
            type: 'array',
            items: {
              type: 'object',
              required: ['code', 'message'],
              properties: {
                code: {
                  'x-ms-summary': 'Detail code',
                  description: Object.entries(DETAIL_CODES)
                    .map(([code, means]) => `- \`${code}\`: ${means}`)
                    .join('\n'),
                  anyOf: [{ $ref: '#/components/schemas/DetailCode' }, { type: 'string' }],
                },
                message: { 'x-ms-summary': 'Detail message', type: 'string' },
                target: { 'x-ms-summary': 'Detail target', description: 'As the target of the error.', type: 'string' },
              },
            },
          },
          innerError: {
            'x-ms-summary': 'Inner error',
            description: 'When it happened (UTC), and the ids to report.',
            type: 'object',
            properties: {
              date: { 'x-ms-summary': 'Date', type: 'string' },
              'request-id': { 'x-ms-summary': 'Request id', type: 'string' },
              'client-request-id': { 'x-ms-summary': 'Client request id', type: 'string' },
            },
          },
        },
      },
    },
  },
} as const satisfies Record<string, Schema>;

/** The error table, one response for each status. */
export function describeErrors(): readonly ErrorResponse[] {
  const codes = Object.keys(ERRORS) as ErrorCode[];
  return [...Map.groupBy(codes, (code) => responseStatus(ERRORS[code].status))]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([status, codesOfStatus]) => [status, describeStatus(status, codesOfStatus)]);
}

function describeStatus(status: ErrorResponse[0], codes: readonly ErrorCode[]): OpenApiResponse {
  const examples = codes.map((code) => [code, { summary: ERRORS[code].means, value: exampleError(code) }] as const);
  return {
    description: [
      ...codes.map((code) => `- \`${code}\`: ${ERRORS[code].means} ${ERRORS[code].callerCan}`),
      ...(isRelayed(status) ? ["- Graph's own errors of this status are relayed unchanged."] : []),
      ...(status === '401'
        ? ['- The platform itself answers 401, with an empty body, for a missing or wrong function key.']
        : []),
    ].join('\n'),
    headers: {
      ...idHeaders("The proxy's id of the call; Graph's in an error of Graph's own."),
      ...(status === '401' && {
        'WWW-Authenticate': header(
          'Why the token is not accepted; with `claims`, what a new token of the user must have.',
        ),
      }),
      ...(status === '405' && { Allow: header('The method to use.') }),
      ...((status === '429' || status === '503') && {
        'Retry-After': header('Seconds to wait, where they are known.'),
      }),
    },
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/ErrorResponse' },
        examples: Object.fromEntries(examples),
      },
    },
  };
}

function responseStatus(status: number | 'upstream'): ErrorResponse[0] {
  return status === 'upstream' ? '4XX' : `${status}`;
}

/** The statuses that relay.ts hands on; 499 is never sent by Graph. */
function isRelayed(status: ErrorResponse[0]): boolean {
  return (status.startsWith('4') && status !== '401' && status !== '499') || status === '503' || status === '504';
}

/** A body with two faults, and what validateAttachment says of it. */
export const FAULTY_BODY = { AttachmentItem: { attachmentType: 'item', size: 5_242_880 } };

const EXAMPLE_FAULTS: { readonly message: string; readonly details: readonly ErrorDetail[] } = {
  message:
    "The body does not describe an attachment for an upload session: Only 'file' can be uploaded through a session. (and 1 more, see details)",
  details: [
    {
      code: 'ValueNotAllowed',
      message: "Only 'file' can be uploaded through a session.",
      target: '/AttachmentItem/attachmentType',
    },
    { code: 'Required', message: "'name' is missing.", target: '/AttachmentItem/name' },
  ],
};

const IDS = {
  requestId: '9f1c7d52-6b0e-4c1a-8a57-2d3f4e5a6b7c',
  clientRequestId: '3d5a1e94-0c2b-4f68-9b7d-1e2f3a4b5c6d',
};

/** A body as answer.ts writes it. */
function exampleError(code: ErrorCode): unknown {
  const { message, details } =
    code === 'InvalidAttachment' ? EXAMPLE_FAULTS : { message: ERRORS[code].means, details: [] };
  const [first] = details;
  const error = new ServiceError(code, message, { details, ...(first && { target: first.target }) });
  return JSON.parse(errorResponse(error, IDS, new Date('2026-11-23T10:00:00Z')).body);
}
