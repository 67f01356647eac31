import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describeErrors, FAULTY_BODY } from '../../../scripts/describe/errorResponses.ts';
import { buildOpenApi } from '../../../scripts/describe/openApi.ts';
import { toSwagger } from '../../../scripts/describe/swagger.ts';
import { DETAIL_CODES, ERRORS, ServiceError } from '../../../shared/errors.ts';
import { relayResponse } from '../../../shared/graph/relayResponse.ts';
import { validateAttachment } from '../../../shared/json/validateAttachment.ts';
import { configOf, thrownBy, upstreamAnswer } from '../../support/builders.ts';

const document = buildOpenApi();
const swagger = toSwagger(document);
const reference = readFileSync(path.join(import.meta.dirname, '../../../docs/errors.md'), 'utf8');

/** The operations that open sessions: they name every code. */
const posts = Object.values(document.paths).flatMap(({ post }) => post ?? []);
const swaggerPosts = Object.values(swagger.paths).flatMap(({ post }) => post ?? []);

/** `code status` of every error; the status as docs/errors.md has it. */
const errors = Object.entries(ERRORS).map(([code, { status }]) => `${code} ${status === 'upstream' ? '4XX' : status}`);
const detailCodes = Object.keys(DETAIL_CODES);

/** The codes that a description lists. */
function listedCodes(description: string): string[] {
  return [...description.matchAll(/^- `(\w+)`:/gm)].map(([, code = '']) => code);
}

/** The codes in the rows of the table under a heading of docs/errors.md. */
function rowsUnder(heading: string): string[] {
  const section = reference.split(/^## /m).find((text) => text.startsWith(heading)) ?? '';
  return [...section.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, code, status]) => `${code} ${status}`);
}

function sorted(values: readonly string[]): readonly string[] {
  return [...values].sort();
}

describe('the error codes', () => {
  it('are those of docs/errors.md', () => {
    const rows = rowsUnder('Codes of the proxy').map((row) => row.replace("Graph's 4xx", '4XX'));
    const detailRows = rowsUnder('Codes in details').map((row) => row.split(' ')[0] ?? '');

    expect(sorted(rows)).toEqual(sorted(errors));
    expect(sorted(detailRows)).toEqual(sorted(detailCodes));
  });

  it.each(posts)('are all in OpenAPI: $operationId', ({ responses }) => {
    const found = Object.entries(responses)
      .filter(([status]) => !status.startsWith('2'))
      .flatMap(([status, { $ref }]) => {
        const response = document.components.responses[$ref.replace('#/components/responses/', '')];
        const examples = Object.keys(response?.content?.['application/json'].examples ?? {});
        expect(listedCodes(response?.description ?? '')).toEqual(examples);
        return examples.map((code) => `${code} ${status}`);
      });

    expect(sorted(found)).toEqual(sorted(errors));
  });

  it.each(swaggerPosts)('have one response in Swagger: $operationId', ({ responses }) => {
    const errorsOf = Object.entries(responses).filter(([status]) => !status.startsWith('2'));

    expect(errorsOf).toEqual([
      ['default', expect.objectContaining({ schema: { $ref: '#/definitions/ErrorResponse' } })],
    ]);
  });

  it('are closed lists for generated clients', () => {
    expect(document.components.schemas['ErrorCode']?.['enum']).toEqual(Object.keys(ERRORS));
    expect(document.components.schemas['DetailCode']?.['enum']).toEqual(detailCodes);
  });

  it.each([
    ['OpenAPI', JSON.stringify(document.components.schemas['ErrorResponse'])],
    ['Swagger', JSON.stringify(swagger.definitions['ErrorResponse'])],
  ])('of details are all in %s', (_, schema) => {
    const found = [...schema.matchAll(/- `(\w+)`:/g)].map(([, code = '']) => code);

    expect(found).toEqual(detailCodes);
  });
});

describe('describeErrors', () => {
  it('shows for a faulty body what the proxy says of it', () => {
    const error = thrownBy(() => validateAttachment(FAULTY_BODY, 'message', configOf().maxSizes));

    const [, response] = describeErrors().find(([status]) => status === '400') ?? [];
    const example = response?.content?.['application/json'].examples['InvalidAttachment'];

    expect(error).toBeInstanceOf(ServiceError);
    const { code, message, target, details } = error as ServiceError;
    expect(example?.value).toEqual({ error: expect.objectContaining({ code, message, target, details }) });
  });

  it.each(describeErrors().filter(([status]) => !['4XX', '499'].includes(status)))(
    "tells truly whether Graph's errors of status %s are relayed",
    (status, { description }) => {
      const upstream = upstreamAnswer(Number(status), '{"error":{"code":"ErrorItemNotFound","message":"No."}}');
      let isRelayed = true;
      try {
        relayResponse(upstream);
      } catch {
        isRelayed = false;
      }

      expect(description.includes("Graph's own errors of this status are relayed")).toBe(isRelayed);
    },
  );
});
