import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import standaloneCode from 'ajv/dist/standalone/index.js';
import policy from '../docs/policy.schema.json' with { type: 'json' };
import attachmentInfo from '../shared/json/schemas/attachmentInfo.schema.json' with { type: 'json' };
import attachmentItem from '../shared/json/schemas/attachmentItem.schema.json' with { type: 'json' };
import contentObject from '../shared/json/schemas/contentObject.schema.json' with { type: 'json' };
import fileAttachment from '../shared/json/schemas/fileAttachment.schema.json' with { type: 'json' };
import idempotencyRecord from '../shared/json/schemas/idempotencyRecord.schema.json' with { type: 'json' };
import jobRecord from '../shared/json/schemas/jobRecord.schema.json' with { type: 'json' };
import taskFileAttachment from '../shared/json/schemas/taskFileAttachment.schema.json' with { type: 'json' };
import uploadRecord from '../shared/json/schemas/uploadRecord.schema.json' with { type: 'json' };

const OUTPUT = fileURLToPath(new URL('../shared/json/validators.generated.cjs', import.meta.url));

const SCHEMAS = [
  attachmentItem,
  attachmentInfo,
  fileAttachment,
  taskFileAttachment,
  contentObject,
  policy,
  uploadRecord,
  jobRecord,
  idempotencyRecord,
];

/**
 * Compiles the JSON Schemas to plain functions, so that ajv's compiler stays off the app's import path.
 * All faults of a body are collected (see validateAttachment.ts for why that is safe); `verbose` hands the
 * faulty value to the message.
 */
export function compileValidators(): void {
  const ajv = new Ajv({
    allErrors: true,
    verbose: true,
    allowUnionTypes: true,
    allowMatchingProperties: true,
    code: { source: true },
  });
  ajv.addSchema(SCHEMAS.map(withoutWords));
  const code = standaloneCode.default(ajv, Object.fromEntries(SCHEMAS.map(({ $id }) => [$id, $id])));
  writeFileSync(OUTPUT, code);
}

/** The generated code holds the schemas, and every start reads it: what they say to people stays out. */
function withoutWords<T>(schema: T): T {
  return JSON.parse(JSON.stringify(schema), (key, value) =>
    typeof value === 'string' && (key === 'title' || key === 'description') ? undefined : value,
  );
}
