import { SETTINGS } from '../../shared/config/settings.ts';
import attachmentInfoSchema from '../../shared/json/schemas/attachmentInfo.schema.json' with { type: 'json' };
import attachmentItemSchema from '../../shared/json/schemas/attachmentItem.schema.json' with { type: 'json' };
import fileAttachmentSchema from '../../shared/json/schemas/fileAttachment.schema.json' with { type: 'json' };
import taskFileAttachmentSchema from '../../shared/json/schemas/taskFileAttachment.schema.json' with { type: 'json' };
import type { ItemKind } from '../../shared/paths/entityModel.ts';

export type Schema = Readonly<Record<string, unknown>>;

/**
 * What the designer shows for each member of a session's body. `important` fields come first, `advanced` ones behind a click.
 * `internal` hides a required field that has only one value; the designer fills in its default.
 */
const FIELDS: Readonly<Record<string, Schema & { readonly examples: readonly unknown[] }>> = {
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
  AttachmentItemBody: describeBody(attachmentItemSchema, 'Attachment item', 'MAX_OUTLOOK_ATTACHMENT_BYTES'),
  AttachmentInfoBody: describeBody(attachmentInfoSchema, 'Attachment info', 'MAX_TODO_ATTACHMENT_BYTES'),
} as const satisfies Record<string, Schema>;

/** As in validateAttachment.ts: To Do tasks have a parameter of their own. */
export function bodyNameOf(kind: ItemKind): keyof typeof BODY_SCHEMAS {
  return kind === 'todoTask' ? 'AttachmentInfoBody' : 'AttachmentItemBody';
}

/** What of Graph's fileAttachment is looked at, and how it is shown. */
const FILE_FIELDS: Readonly<Record<string, Schema>> = {
  name: { ...FIELDS['name'] },
  sourceUrl: {
    'x-ms-summary': 'Address of the file',
    'x-ms-visibility': 'important',
    format: 'uri',
    examples: ['https://contoso.blob.core.windows.net/invoices/report.pdf?sp=r&sig=…'],
  },
  contentBytes: {
    'x-ms-summary': 'File content',
    type: ['string', 'null'],
    format: 'byte',
    examples: ['JVBERi0xLjcK'],
  },
  contentType: { ...FIELDS['contentType'] },
  isInline: { ...FIELDS['isInline'] },
  contentId: { ...FIELDS['contentId'] },
  '@odata.type': { 'x-ms-summary': 'Type of attachment', 'x-ms-visibility': 'advanced' },
};

/** Graph's own JSON for a file, by the names that the description gives it. */
export const FILE_SCHEMAS = {
  FileAttachment: describeFile(fileAttachmentSchema, '#microsoft.graph.fileAttachment'),
  TaskFileAttachment: describeFile(taskFileAttachmentSchema, '#microsoft.graph.taskFileAttachment'),
} as const satisfies Record<string, Schema>;

export function fileNameOf(kind: ItemKind): keyof typeof FILE_SCHEMAS {
  return kind === 'todoTask' ? 'TaskFileAttachment' : 'FileAttachment';
}

interface SourceSchema {
  readonly properties: Readonly<Record<string, Schema & { readonly properties: Readonly<Record<string, Schema>> }>>;
}

function describeBody(
  source: SourceSchema,
  summary: string,
  ceiling: 'MAX_OUTLOOK_ATTACHMENT_BYTES' | 'MAX_TODO_ATTACHMENT_BYTES',
): Schema {
  const [[parameter, item] = []] = Object.entries(source.properties);
  if (parameter === undefined || item === undefined) throw new Error('The schema has no member.');
  const members = Object.entries(item.properties).map(([name, member]) => {
    const field = FIELDS[name];
    if (field === undefined) throw new Error(`FIELDS has nothing about ${name}.`);
    const limit = name === 'size' ? ` Unless the operator has set it, that is ${SETTINGS[ceiling].default} bytes.` : '';
    return [name, { ...member, ...field, description: `${member['description']}${limit}` }];
  });
  const described = { ...describable(item), 'x-ms-summary': summary, properties: Object.fromEntries(members) };
  return { ...describable(source), properties: { [parameter]: described }, examples: [{ [parameter]: EXAMPLE_ITEM }] };
}

/** The content object of Logic Apps is left out: the designer makes a text field of a text alone. */
function describeFile(
  source: { readonly properties: Readonly<Record<string, Schema>> },
  type: string,
): Schema & { readonly properties: Schema; readonly examples: readonly unknown[] } {
  const members = Object.entries(FILE_FIELDS).flatMap(([name, field]) => {
    const { required: _required, properties: _properties, ...member } = source.properties[name] ?? {};
    if (member['type'] === undefined) return [];
    const typed = name === '@odata.type' ? { examples: [type] } : {};
    return [[name, { ...describable(member), ...field, ...typed }] as const];
  });
  const limit = SETTINGS.MAX_JSON_ATTACHMENT_BYTES.default;
  return {
    ...describable(source),
    description: `Graph's own JSON for a file: with its bytes in base64, up to ${limit} bytes unless the operator has set it, or with an address that the policy admits, which the bytes are read from.`,
    properties: Object.fromEntries(members),
    examples: [{ '@odata.type': type, name: 'report.pdf', contentBytes: 'JVBERi0xLjcK' }],
  };
}

function describable(schema: object): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => !NOT_DESCRIBED.has(keyword)));
}
