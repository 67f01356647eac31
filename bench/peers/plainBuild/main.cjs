const { app } = require('@azure/functions');
const { ManagedIdentityCredential } = require('@azure/identity');
const { Client } = require('@microsoft/microsoft-graph-client');
const {
  TokenCredentialAuthenticationProvider,
} = require('@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials');
const { default: Ajv } = require('ajv');

const graph = new URL(process.env.GRAPH_BASE_URL);

const authProvider = new TokenCredentialAuthenticationProvider(new ManagedIdentityCredential(), {
  scopes: [`${graph.origin}/.default`],
});
const client = Client.initWithMiddleware({
  authProvider,
  baseUrl: `${graph.origin}/`,
  customHosts: new Set([graph.hostname]),
});

const validate = new Ajv({ allErrors: true }).compile({
  type: 'object',
  required: ['AttachmentItem'],
  additionalProperties: false,
  properties: {
    AttachmentItem: {
      type: 'object',
      required: ['attachmentType', 'name', 'size'],
      additionalProperties: false,
      properties: {
        attachmentType: { const: 'file' },
        name: { type: 'string', minLength: 1 },
        size: { type: 'integer', minimum: 1, maximum: 157286400 },
        contentType: { type: 'string' },
        contentId: { type: 'string' },
        isInline: { type: 'boolean' },
      },
    },
  },
});

app.http('createUploadSession', {
  methods: ['POST'],
  authLevel: 'function',
  route: 'v1.0/users/{userId}/messages/{messageId}/attachments/createUploadSession',
  handler: async (request) => {
    const body = await request.json();
    if (!validate(body)) {
      return { status: 400, jsonBody: { error: { code: 'BadRequest', message: JSON.stringify(validate.errors) } } };
    }
    const user = encodeURIComponent(request.params.userId);
    const message = encodeURIComponent(request.params.messageId);
    const session = await client.api(`/users/${user}/messages/${message}/attachments/createUploadSession`).post(body);
    return { status: 201, jsonBody: session };
  },
});
