import packageJson from '../../../package.json' with { type: 'json' };
import { buildOpenApi } from '../../../scripts/describe/openApi.ts';
import { toSwagger } from '../../../scripts/describe/swagger.ts';
import { parsePath } from '../../../shared/paths/parsePath.ts';

const swagger = toSwagger(buildOpenApi());
const operations = Object.values(swagger.paths).flatMap((item) => Object.values(item));

/** Every member of a schema, at any depth, by its pointer. */
function members(schema: unknown, pointer: string): (readonly [string, Record<string, unknown>])[] {
  if (!isObject(schema)) return [];
  const own = isObject(schema['properties']) ? Object.entries(schema['properties']) : [];
  return [
    ...own.flatMap(([name, member]) =>
      isObject(member) ? [[`${pointer}/${name}`, member] as const, ...members(member, `${pointer}/${name}`)] : [],
    ),
    ...members(schema['items'], pointer),
  ];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

describe('toSwagger', () => {
  it('has all that a custom connector asks for', () => {
    expect(swagger).toMatchObject({ swagger: '2.0', host: expect.any(String), basePath: '/api', schemes: ['https'] });
    expect(swagger.info).toMatchObject({ version: packageJson.version, title: expect.any(String) });
    expect(Buffer.byteLength(JSON.stringify(swagger))).toBeLessThan(400_000);
  });

  it.each(Object.entries(swagger.definitions).flatMap(([name, schema]) => members(schema, name)))(
    'gives the designer a name for the field %s',
    (_, member) => {
      expect(member).toEqual(expect.objectContaining({ 'x-ms-summary': expect.stringMatching(/\w/) }));
    },
  );

  it.each(operations)('gives the designer a name for each parameter of $operationId', ({ parameters }) => {
    expect(parameters.length).toBeGreaterThan(1);
    for (const parameter of parameters) {
      expect(parameter).toEqual(expect.objectContaining({ 'x-ms-summary': expect.stringMatching(/\w/) }));
    }
  });

  it.each(operations)('names the fields of one operation apart: $operationId', ({ parameters }) => {
    const names = parameters.map((parameter) => parameter['x-ms-summary']);

    expect(new Set(names).size).toBe(names.length);
  });

  it('hides no required field without a default', () => {
    const hidden = Object.entries(swagger.definitions)
      .flatMap(([name, schema]) => members(schema, name))
      .filter(([, member]) => member['x-ms-visibility'] === 'internal');

    expect(hidden.map(([pointer]) => pointer)).toEqual([
      'AttachmentItemBody/AttachmentItem/attachmentType',
      'AttachmentInfoBody/attachmentInfo/attachmentType',
      'MailMessage/attachments/@odata.type',
      'MailToSend/message/attachments/@odata.type',
    ]);
    for (const [, member] of hidden) expect(member['default']).toMatch(/^file$|#microsoft.graph.fileAttachment/);
  });

  it('uses no keyword that Swagger 2.0 does not have', () => {
    const text = JSON.stringify(swagger);

    for (const keyword of ['anyOf', 'oneOf', 'const', 'patternProperties', '#/components/', '"null"']) {
      expect(text).not.toContain(keyword);
    }
  });

  it('lets the engine send the files that one operation attaches in chunks, and asks for their name', () => {
    const attaching = operations.filter(({ operationId }) => operationId.startsWith('AttachFileTo'));

    expect(attaching).toHaveLength(9);
    for (const { 'x-ms-capabilities': capabilities, consumes, parameters } of attaching) {
      expect([capabilities, consumes]).toEqual([{ chunkTransfer: true }, ['application/octet-stream']]);
      expect(parameters).toContainEqual(expect.objectContaining({ in: 'query', name: 'name', required: true }));
      expect(parameters).toContainEqual(expect.objectContaining({ in: 'query', name: 'contentType', required: false }));
    }
    const others = operations.filter(({ operationId }) => !operationId.startsWith('AttachFileTo'));
    expect(others.filter((operation) => 'x-ms-capabilities' in operation)).toEqual([]);
  });

  it('has its own operation for files at an address, at a path that leads to the same', () => {
    const byAddress = Object.entries(swagger.paths).flatMap(([path, { post }]) =>
      post?.operationId.startsWith('AttachAddressTo') ? [{ path, ...post }] : [],
    );

    expect(byAddress).toHaveLength(4);
    for (const { path, parameters } of byAddress) {
      const filled = path.replaceAll(/\{\w+\}/g, 'AAMk=');
      expect(parsePath(filled.slice(1))).toEqual(parsePath(filled.replace('/v1.0/', '')));
      expect(parameters.filter((parameter) => parameter['in'] === 'query')).toEqual([]);
      expect(parameters.at(-1)).toMatchObject({ in: 'body', schema: { $ref: '#/definitions/FileAttachment' } });
    }
  });

  it('says that bytes are bytes, and that no credential but the address is looked at', () => {
    const upload = swagger.paths['/uploadSessions/{uploadId}'];

    expect(Object.keys(upload ?? {})).toEqual(['put', 'patch', 'get', 'delete']);
    for (const operation of Object.values(upload ?? {})) expect(operation.security).toEqual([]);
    expect(upload?.put?.consumes).toEqual(['application/octet-stream']);
    expect(upload?.put?.parameters).toContainEqual(
      expect.objectContaining({ in: 'body', schema: { type: 'string', format: 'binary' } }),
    );
    expect(upload?.get?.parameters.map((parameter) => parameter['in'])).toEqual(['path', 'header']);
    expect(upload?.delete?.responses['204']).toEqual({ description: expect.stringMatching(/\w/), headers: {} });
  });
});
