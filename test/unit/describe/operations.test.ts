import { SEED } from '../../../local/emulators/graph/seed.ts';
import { BODY_SCHEMAS, bodyNameOf, FILE_SCHEMAS, fileNameOf } from '../../../scripts/describe/bodySchemas.ts';
import { describeItems } from '../../../scripts/describe/operations.ts';
import { validateAttachment } from '../../../shared/json/validateAttachment.ts';
import { ITEM_KINDS } from '../../../shared/paths/entityModel.ts';
import { parsePath } from '../../../shared/paths/parsePath.ts';
import { readJsonAttachment } from '../../../shared/sources/jsonAttachment.ts';
import { createJsonMemory } from '../../../shared/sources/jsonMemory.ts';
import { configOf } from '../../support/builders.ts';

const items = describeItems();
const operations = items.flatMap(({ attach, openSession, ...item }) =>
  [attach, openSession].map((operation) => ({ ...item, ...operation })),
);

describe('describeItems', () => {
  it.each(operations)('describes a path that the proxy takes: $operationId', ({ kind, path, parameters }) => {
    const filled = parameters.reduce((text, { name, example }) => text.replace(`{${name}}`, example), path);

    const target = parsePath(filled.slice(1));

    expect(filled).not.toMatch(/[{}]/);
    expect(target.kind).toBe(kind);
  });

  it('has an operation for every kind of item', () => {
    expect(new Set(operations.map(({ kind }) => kind))).toEqual(new Set(ITEM_KINDS));
  });

  it('names each operation once, in the manner of the designer', () => {
    const ids = operations.map(({ operationId }) => operationId);

    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^(Create([A-Z][a-z]+)+UploadSession|AttachFileTo([A-Z][a-z]+)+)$/);
  });

  it('names each parameter of a path once', () => {
    for (const { path, parameters } of operations) {
      expect(path.match(/(?<=\{)\w+/g) ?? []).toEqual(parameters.map(({ name }) => name));
    }
  });

  it.each(items)('shows ids of the emulated Graph, so that they work there: $name', ({ parameters }) => {
    const known = SEED.flatMap(({ id, userPrincipalName, items: ids }) => [
      id,
      userPrincipalName,
      ...Object.values(ids).flat(),
    ]);

    expect(known).toEqual(expect.arrayContaining(parameters.map(({ example }) => example)));
  });
});

describe('FILE_SCHEMAS', () => {
  it.each(ITEM_KINDS)('has an example that the proxy takes for the kind %s', async (kind) => {
    const [example] = FILE_SCHEMAS[fileNameOf(kind)].examples;
    const pieces = [Buffer.from(JSON.stringify(example))];
    const limits = { maxJsonAttachmentBytes: 1000, maxBytes: 1000 };

    const { file } = await readJsonAttachment(
      { read: async () => pieces.shift() },
      kind,
      limits,
      createJsonMemory().open(),
      AbortSignal.timeout(1000),
    );

    expect(file).toMatchObject({ name: 'report.pdf', sizeBytes: 9 });
  });

  it('offers nothing of an inline image for To Do tasks', () => {
    expect(Object.keys(FILE_SCHEMAS.FileAttachment.properties)).toEqual(
      expect.arrayContaining(['isInline', 'contentId']),
    );
    expect(FILE_SCHEMAS.TaskFileAttachment.properties).not.toHaveProperty('isInline');
    expect(FILE_SCHEMAS.TaskFileAttachment.properties).not.toHaveProperty('contentId');
  });
});

describe('BODY_SCHEMAS', () => {
  it.each(ITEM_KINDS)('has an example that the proxy takes for the kind %s', (kind) => {
    const { maxSizes: ceilings } = configOf();
    const { examples } = BODY_SCHEMAS[bodyNameOf(kind)];

    expect(examples).toHaveLength(1);
    for (const body of Array.isArray(examples) ? examples : []) {
      expect(JSON.parse(validateAttachment(body, kind, ceilings).json)).toEqual(body);
    }
  });
});
