import attachmentInfoSchema from '../body/schemas/attachmentInfo.schema.json' with { type: 'json' };
import attachmentItemSchema from '../body/schemas/attachmentItem.schema.json' with { type: 'json' };
import { SETTINGS } from '../config/settings.ts';
import type { ItemKind } from '../route/entityModel.ts';

export type Schema = Readonly<Record<string, unknown>>;

/** What the designer shows for a member, beside what its JSON Schema says. `important` fields stand first, `advanced` ones behind a click. */
interface Field {
  readonly 'x-ms-summary': string;
  readonly 'x-ms-visibility'?: 'important' | 'advanced' | 'internal';
  readonly examples: readonly unknown[];
  readonly format?: string;
  readonly default?: unknown;
}

/** Every member of the two bodies. `internal` hides a required field that has one value alone; the designer fills in its default. */
const FIELDS: Readonly<Record<string, Field>> = {
  attachmentType: {
    'x-ms-summary': 'Attachment type',
    'x-ms-visibility': 'internal',
    examples: ['file'],
    default: 'file',
  },
  name: { 'x-ms-summary': 'File name', 'x-ms-visibility': 'important', examples: ['report.pdf'] },
  size: {
    'x-ms-summary': 'File size in bytes',
    'x-ms-visibility': 'important',
    examples: [5_242_880],
    format: 'int64',
  },
  contentType: { 'x-ms-summary': 'Media type', examples: ['application/pdf'] },
  isInline: { 'x-ms-summary': 'Is inline', 'x-ms-visibility': 'advanced', examples: [false] },
  contentId: { 'x-ms-summary': 'Content id', 'x-ms-visibility': 'advanced', examples: ['logo'] },
};

/** What is required, and the media type. */
const EXAMPLE_ITEM = Object.fromEntries(
  ['attachmentType', 'name', 'size', 'contentType'].map((member) => [member, FIELDS[member]?.examples[0]]),
);

/**
 * Left out of the description. Both schemas refuse members they do not know, OData annotations excepted; Swagger has no
 * words for the exception, and client generators make of it types that no body fits.
 */
const NOT_DESCRIBED = new Set(['$schema', '$id', 'patternProperties', 'additionalProperties']);

/** The bodies by the names that the description gives them. */
export const BODY_SCHEMAS = {
  AttachmentItemBody: describeBody(
    attachmentItemSchema,
    'AttachmentItem',
    'Attachment item',
    'MAX_OUTLOOK_ATTACHMENT_BYTES',
  ),
  AttachmentInfoBody: describeBody(
    attachmentInfoSchema,
    'attachmentInfo',
    'Attachment info',
    'MAX_TODO_ATTACHMENT_BYTES',
  ),
} as const satisfies Record<string, Schema>;

export type BodyName = keyof typeof BODY_SCHEMAS;

/** As in validateAttachment.ts: To Do tasks have a parameter of their own. */
export function bodyNameOf(kind: ItemKind): BodyName {
  return kind === 'todoTask' ? 'AttachmentInfoBody' : 'AttachmentItemBody';
}

interface SourceSchema {
  readonly properties: Readonly<Record<string, Schema & { readonly properties: Readonly<Record<string, Schema>> }>>;
}

function describeBody(
  source: SourceSchema,
  parameter: string,
  summary: string,
  ceiling: 'MAX_OUTLOOK_ATTACHMENT_BYTES' | 'MAX_TODO_ATTACHMENT_BYTES',
): Schema {
  const item = source.properties[parameter];
  if (item === undefined) throw new Error(`The schema has no member ${parameter}.`);
  const members = Object.entries(item.properties).map(([name, member]) => {
    const field = FIELDS[name];
    if (field === undefined) throw new Error(`FIELDS has nothing about ${name}.`);
    const limit = name === 'size' ? ` Unless the operator has set it, that is ${SETTINGS[ceiling].default} bytes.` : '';
    return [name, { ...member, ...field, description: `${member['description']}${limit}` }];
  });
  const described = { ...describable(item), 'x-ms-summary': summary, properties: Object.fromEntries(members) };
  return { ...describable(source), properties: { [parameter]: described }, examples: [{ [parameter]: EXAMPLE_ITEM }] };
}

function describable(schema: object): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => !NOT_DESCRIBED.has(keyword)));
}
