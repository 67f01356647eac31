import { ROUTES } from '../../shared/routes.ts';
import type { Schema } from './bodySchemas.ts';
import type { ErrorResponse } from './errorResponses.ts';
import {
  idHeaders,
  jsonContent,
  type OpenApiOperation,
  type OpenApiResponse,
  type PathItem,
} from './openApiDocument.ts';

const text = (summary: string, visibility?: 'important' | 'advanced') => {
  return { 'x-ms-summary': summary, type: 'string', ...(visibility && { 'x-ms-visibility': visibility }) };
};

const RECIPIENTS = (summary: string, visibility: 'important' | 'advanced') => {
  const emailAddress = {
    'x-ms-summary': 'Recipient',
    type: 'object',
    required: ['address'],
    properties: { address: text('Address', 'important'), name: text('Name', 'advanced') },
  };
  return {
    'x-ms-summary': summary,
    'x-ms-visibility': visibility,
    type: 'array',
    items: { type: 'object', required: ['emailAddress'], properties: { emailAddress } },
  };
};

const MAIL_MESSAGE = {
  description: "Graph's message. Members that are not listed are sent to Graph unchanged.",
  type: 'object',
  properties: {
    subject: text('Subject', 'important'),
    body: {
      'x-ms-summary': 'Body',
      'x-ms-visibility': 'important',
      type: 'object',
      properties: {
        contentType: { ...text('Format', 'advanced'), enum: ['text', 'html'], default: 'html' },
        content: text('Text', 'important'),
      },
    },
    toRecipients: RECIPIENTS('To', 'important'),
    ccRecipients: RECIPIENTS('Cc', 'advanced'),
    bccRecipients: RECIPIENTS('Bcc', 'advanced'),
    importance: { ...text('Importance', 'advanced'), enum: ['low', 'normal', 'high'] },
    attachments: {
      'x-ms-summary': 'Files',
      'x-ms-visibility': 'important',
      description: 'Each file with its bytes in base64, or the URL of its bytes.',
      type: 'array',
      items: {
        type: 'object',
        required: ['@odata.type', 'name'],
        properties: {
          '@odata.type': {
            ...text('Attachment type'),
            default: '#microsoft.graph.fileAttachment',
            'x-ms-visibility': 'internal',
          },
          name: text('File name', 'important'),
          sourceUrl: text('File URL', 'important'),
          contentBytes: text('File content in base64', 'important'),
          contentType: text('Media type', 'advanced'),
        },
      },
    },
  },
} as const satisfies Schema;

export const MAIL_SCHEMAS = {
  MailMessage: MAIL_MESSAGE,
  MailToSend: {
    type: 'object',
    required: ['message'],
    properties: {
      message: { 'x-ms-summary': 'Message', 'x-ms-visibility': 'important', ...MAIL_MESSAGE },
      saveToSentItems: { 'x-ms-summary': 'Save to Sent Items', 'x-ms-visibility': 'advanced', type: 'boolean' },
    },
  },
  MailState: {
    description: 'A message that this caller created through the proxy.',
    type: 'object',
    properties: {
      id: text('Message id'),
      isDraft: { 'x-ms-summary': 'Is draft', type: 'boolean' },
      internetMessageId: text('Message-ID'),
      conversationId: text('Conversation id'),
      subject: text('Subject'),
      hasAttachments: { 'x-ms-summary': 'Has attachments', type: 'boolean' },
    },
  },
} as const satisfies Record<string, Schema>;

const STATE = {
  id: 'AAkALg…',
  isDraft: true,
  internetMessageId: '<0c9a7be3@contoso.com>',
  conversationId: 'AAQk…',
  subject: 'Report',
  hasAttachments: true,
};

const headers = idHeaders("The proxy's id of the call.");

export const MAIL_RESPONSES = {
  MailSent: { description: 'The mail is sent. There is no body unless the request preferred one.', headers },
  MailDraft: {
    description: 'The draft, as Graph returned it.',
    headers,
    content: jsonContent('MailState', 'draft', 'The draft', STATE),
  },
  MailState: {
    description: 'The message.',
    headers,
    content: jsonContent('MailState', 'message', 'The message', STATE),
  },
  DraftDeleted: { description: 'The draft is deleted.', headers },
} as const satisfies Record<string, OpenApiResponse>;

const ABOUT = {
  sendMail: { body: 'MailToSend', success: ['202', 'MailSent'], id: 'SendMail' },
  createDraft: { body: 'MailMessage', success: ['201', 'MailDraft'], id: 'CreateDraft' },
  sendDraft: { body: undefined, success: ['202', 'MailSent'], id: 'SendDraft' },
  getMessage: { body: undefined, success: ['200', 'MailState'], id: 'GetMessage' },
  deleteDraft: { body: undefined, success: ['204', 'DraftDeleted'], id: 'DeleteDraft' },
} as const;

const MAILBOX = parameterOf(
  'mailbox',
  'Mailbox',
  "The owner's userPrincipalName or object id.",
  'adele@contoso.example',
);
const MESSAGE = parameterOf('messageId', 'Message id', 'The id of a message that this caller created.', 'AAkALg');

/** The operations on mail, from the table of routes: in a named mailbox, and in the caller's own. */
export function describeMailOperations(
  errors: readonly ErrorResponse[],
): Readonly<Record<string, PathItem<OpenApiOperation>>> {
  const paths: Record<string, Record<string, OpenApiOperation>> = {};
  for (const route of ROUTES) {
    if (route.on !== 'mailbox' && route.on !== 'message') continue;
    for (const owner of ['/users/{mailbox}', '/me']) {
      const subject = route.on === 'message' ? `${owner}/messages/{messageId}` : owner;
      const path = [subject, route.suffix].filter((part) => part !== '').join('/');
      const { body, success, id } = ABOUT[route.operation];
      const [status, response] = success;
      paths[path] = {
        ...paths[path],
        [route.method.toLowerCase()]: {
          operationId: owner === '/me' ? id.replace(/Mail$|Draft$|Message$/, 'My$&') : id,
          tags: ['Mail'],
          summary: owner === '/me' ? `${route.summary}, in my mailbox` : route.summary,
          description: `${route.summary}. docs/api/mail.md describes limits and retries.`,
          'x-ms-visibility': route.operation === 'sendMail' ? 'important' : 'advanced',
          parameters: [
            ...(owner === '/me' ? [] : [MAILBOX]),
            ...(route.on === 'message' ? [MESSAGE] : []),
            { $ref: '#/components/parameters/ClientRequestId' },
            ...(route.retry === 'withKey' ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
          ],
          ...(body && {
            requestBody: {
              required: true,
              content: { 'application/json': { schema: { $ref: `#/components/schemas/${body}` } } },
            },
          }),
          responses: {
            [status]: { $ref: `#/components/responses/${response}` },
            ...Object.fromEntries(errors.map(([code]) => [code, { $ref: `#/components/responses/Error${code}` }])),
          },
        },
      };
    }
  }
  return paths;
}

function parameterOf(name: string, summary: string, description: string, example: string) {
  return {
    name,
    in: 'path',
    required: true,
    description,
    'x-ms-summary': summary,
    'x-ms-visibility': 'important',
    schema: { type: 'string', examples: [example] },
  } as const;
}
