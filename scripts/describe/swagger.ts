import type { Schema } from './bodySchemas.ts';
import type {
  OpenApiDocument,
  OpenApiOperation,
  OpenApiParameter,
  OpenApiResponse,
  PathItem,
  Reference,
} from './openApiDocument.ts';

interface SwaggerOperation extends Omit<OpenApiOperation, 'parameters' | 'requestBody' | 'responses'> {
  /** Absent where those of the document hold. */
  readonly consumes?: readonly string[];
  readonly 'x-ms-capabilities'?: { readonly chunkTransfer: true };
  readonly parameters: readonly Schema[];
  readonly responses: Readonly<Record<string, SwaggerResponse>>;
}

type SwaggerResponse = Schema & { readonly description: string };

/**
 * The same description for the Logic Apps designer and custom connectors, which read Swagger 2.0 alone
 * (learn.microsoft.com/connectors/custom-connectors). References stand in `definitions` only: the designer's importer
 * is not documented to follow others. What Swagger cannot say is left out, so that it forbids nothing that is taken.
 */
export function toSwagger(document: OpenApiDocument) {
  return {
    swagger: '2.0',
    info: document.info,
    host: 'localhost',
    basePath: document.servers[0]?.url ?? '/',
    schemes: ['https'],
    consumes: ['application/json'],
    produces: ['application/json'],
    securityDefinitions: securityDefinitions(document.components.securitySchemes),
    security: document.security,
    tags: document.tags,
    paths: Object.fromEntries(Object.entries(document.paths).flatMap(([path, item]) => toPaths(path, item, document))),
    // The lists of codes are parts of an anyOf in OpenAPI; here the descriptions of the responses name them.
    definitions: Object.fromEntries(
      Object.entries(document.components.schemas)
        .filter(([name]) => name !== 'ErrorCode' && name !== 'DetailCode')
        .map(([name, schema]) => [name, toSwaggerSchema(schema)]),
    ),
  };
}

/** A bearer token is an apiKey in Swagger 2.0: its OAuth flows need addresses of a tenant. */
function securityDefinitions(schemes: OpenApiDocument['components']['securitySchemes']): Schema {
  const entries = Object.entries(schemes).map(([name, scheme]) => {
    if (scheme['type'] === 'apiKey') return [name, scheme];
    const description = `${scheme['description']} Write "Bearer " before the token.`;
    return [name, { type: 'apiKey', in: 'header', name: 'Authorization', description }];
  });
  return Object.fromEntries(entries);
}

/**
 * An operation has one body in Swagger. One that takes bytes or JSON becomes two: bytes at its own path, and for the items that
 * makers use, JSON at the same path with its version, which leads to the same.
 */
function toPaths(
  path: string,
  { post, ...item }: PathItem<OpenApiOperation>,
  document: OpenApiDocument,
): readonly (readonly [path: string, PathItem<SwaggerOperation>])[] {
  const { 'application/octet-stream': bytes, 'application/json': json } = post?.requestBody?.content ?? {};
  if (post === undefined || bytes === undefined || json === undefined) {
    const operations = Object.entries({ ...(post !== undefined && { post }), ...item });
    const converted = operations.map(([method, operation]) => [method, toOperation(operation, document)]);
    return [[path, Object.fromEntries(converted)]];
  }
  const inBytes: OpenApiOperation = {
    ...post,
    requestBody: { required: true, content: { 'application/octet-stream': bytes } },
  };
  const byAddress: OpenApiOperation = {
    ...post,
    operationId: post.operationId.replace('File', 'Address'),
    summary: post.summary.replace('Attach a file', 'Attach a file by its address'),
    description: "Attaches a file that is read from an address, or whose bytes stand in Graph's own JSON.",
    requestBody: { required: true, content: { 'application/json': json } },
    parameters: post.parameters.filter((parameter) => resolveParameter(parameter, document).in !== 'query'),
  };
  const operation = { ...toOperation(inBytes, document), 'x-ms-capabilities': { chunkTransfer: true } } as const;
  return [
    [path, { post: operation }],
    ...(post['x-ms-visibility'] === 'important'
      ? [[`/v1.0${path}`, { post: toOperation(byAddress, document) }] as const]
      : []),
  ];
}

function toOperation(
  { requestBody, parameters, responses, ...operation }: OpenApiOperation,
  document: OpenApiDocument,
): SwaggerOperation {
  const hasBytes = requestBody?.content['application/octet-stream'] !== undefined;
  return {
    ...operation,
    ...(hasBytes && { consumes: ['application/octet-stream'] }),
    parameters: [
      ...parameters.map((parameter) => toParameter(resolveParameter(parameter, document), hasBytes)),
      ...toBody(requestBody),
    ],
    responses: {
      ...Object.fromEntries(
        Object.entries(responses)
          .filter(([status]) => status.startsWith('2'))
          .map(([status, reference]) => toResponse(status, resolve(reference, document.components.responses))),
      ),
      default: ERROR_RESPONSE,
    },
  };
}

function resolveParameter(parameter: OpenApiParameter | Reference, { components }: OpenApiDocument): OpenApiParameter {
  return isReference(parameter) ? resolve(parameter, components.parameters) : parameter;
}

function toBody(requestBody: OpenApiOperation['requestBody']): readonly Schema[] {
  if (requestBody === undefined) return [];
  const json = requestBody.content['application/json'];
  const body = { name: 'body', in: 'body', required: true };
  if (json === undefined) {
    const schema = { type: 'string', format: 'binary' };
    return [{ ...body, description: "The file's bytes.", 'x-ms-summary': 'File content', schema }];
  }
  const description = 'What is to be attached.';
  return [{ ...body, description, 'x-ms-summary': 'Body', schema: toSwaggerSchema(json.schema) }];
}

/** The designer cannot send a Content-Disposition in place of the name. */
function toParameter({ schema, ...parameter }: OpenApiParameter, hasBytes: boolean): Schema {
  const { example: _notInParameters, ...plain } = toSwaggerSchema(schema);
  const isFileName = hasBytes && parameter.in === 'query' && parameter.name === 'name';
  return { ...parameter, ...(isFileName && { required: true }), ...plain };
}

/** One response for all errors: a description of each status in each operation would exceed the size that connectors accept. */
const ERROR_RESPONSE: SwaggerResponse = {
  description: "An error in Graph's shape. docs/errors.md lists the codes.",
  schema: { $ref: '#/definitions/ErrorResponse' },
};

function toResponse(
  status: string,
  { description, headers, content }: OpenApiResponse,
): readonly [status: string, response: SwaggerResponse] {
  const response = {
    description,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, header]) => [name, { description: header.description, type: 'string' }]),
    ),
  };
  if (content === undefined) return [status, response];
  const { schema, examples } = content['application/json'];
  const body = {
    schema: toSwaggerSchema(schema),
    examples: { 'application/json': Object.values(examples)[0]?.value },
  };
  return [status, { ...response, ...body }];
}

/** JSON Schema 2020-12 to what Swagger 2.0 has of it. */
function toSwaggerSchema(schema: Schema): Schema {
  const swagger: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    switch (keyword) {
      case '$ref':
        swagger['$ref'] = String(value).replace('#/components/schemas/', '#/definitions/');
        break;
      case 'type':
        Object.assign(swagger, toSwaggerType(value));
        break;
      case 'examples':
        swagger['example'] = Array.isArray(value) ? value[0] : undefined;
        break;
      case 'anyOf': // Here always an open set of texts.
        swagger['type'] = 'string';
        break;
      case 'items':
        swagger['items'] = isSchema(value) ? toSwaggerSchema(value) : value;
        break;
      case 'properties':
        swagger['properties'] = isSchema(value) ? mapValues(value) : value;
        break;
      default:
        swagger[keyword] = value;
    }
  }
  return swagger;
}

function mapValues(properties: Schema): Schema {
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, isSchema(schema) ? toSwaggerSchema(schema) : schema]),
  );
}

function toSwaggerType(type: unknown): Schema {
  if (!Array.isArray(type)) return { type };
  return { type: type.find((one) => one !== 'null'), 'x-nullable': true };
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isReference(value: OpenApiParameter | Reference): value is Reference {
  return '$ref' in value;
}

function resolve<T>({ $ref }: Reference, parts: Readonly<Record<string, T>>): T {
  const part = parts[$ref.slice($ref.lastIndexOf('/') + 1)];
  if (part === undefined) throw new Error(`${$ref} leads nowhere.`);
  return part;
}
