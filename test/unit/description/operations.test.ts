import { validateAttachment } from '../../../shared/body/validateAttachment.ts';
import { BODY_SCHEMAS, bodyNameOf } from '../../../shared/description/bodySchemas.ts';
import { describeOperations } from '../../../shared/description/operations.ts';
import { ITEM_KINDS } from '../../../shared/route/entityModel.ts';
import { parsePath } from '../../../shared/route/parsePath.ts';
import { configOf } from '../../support/builders.ts';

const operations = describeOperations();

describe('describeOperations', () => {
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
    for (const id of ids) expect(id).toMatch(/^Create([A-Z][a-z]+)+UploadSession$/);
  });

  it('names each parameter of a path once', () => {
    for (const { path, parameters } of operations) {
      expect(path.match(/(?<=\{)\w+/g) ?? []).toEqual(parameters.map(({ name }) => name));
    }
  });
});

describe('BODY_SCHEMAS', () => {
  it.each(ITEM_KINDS)('has an example that the proxy takes for the kind %s', (kind) => {
    const { ceilings } = configOf();
    const { examples } = BODY_SCHEMAS[bodyNameOf(kind)];

    expect(examples).toHaveLength(1);
    for (const body of Array.isArray(examples) ? examples : []) {
      expect(JSON.parse(validateAttachment(body, kind, ceilings).json)).toEqual(body);
    }
  });
});
