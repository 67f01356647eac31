import type { ValidateFunction } from 'ajv';
import attachmentInfoSchema from './schemas/attachmentInfo.schema.json' with { type: 'json' };
import attachmentItemSchema from './schemas/attachmentItem.schema.json' with { type: 'json' };
import contentObjectSchema from './schemas/contentObject.schema.json' with { type: 'json' };
import fileAttachmentSchema from './schemas/fileAttachment.schema.json' with { type: 'json' };
import taskFileAttachmentSchema from './schemas/taskFileAttachment.schema.json' with { type: 'json' };
import * as validators from './validators.generated.cjs';

/** One body shape: the names of its members, and the compiled schema. */
export interface BodyShape {
  /** What a body of this shape describes, as an error names it. */
  readonly describes: string;
  /** The members of each object in the body, in Graph's spelling, by the object's JSON pointer. */
  readonly members: Readonly<Record<string, readonly string[]>>;
  /** The values of `@odata.type` in Graph's spelling, without the `#` that may precede them. */
  readonly types: readonly string[];
  readonly isValid: ValidateFunction;
}

/** A body of createUploadSession: one parameter, which holds the members. */
export interface SessionShape extends BodyShape {
  readonly parameter: string;
}

/** The annotation that names an object's type. */
const TYPE = '@odata.type';

/** Either is taken for either kind of item: the proxy writes the one that the item takes. */
const FILE_TYPES = ['microsoft.graph.fileAttachment', 'microsoft.graph.taskFileAttachment'];

const FOR_SESSION = 'an attachment for an upload session';

/** Messages, events, posts and outlookTasks. */
export const ATTACHMENT_ITEM: SessionShape = {
  describes: FOR_SESSION,
  parameter: 'AttachmentItem',
  members: {
    '': ['AttachmentItem'],
    '/AttachmentItem': [TYPE, ...Object.keys(attachmentItemSchema.properties.AttachmentItem.properties)],
  },
  types: ['microsoft.graph.attachmentItem'],
  isValid: validators.attachmentItem,
};

/** To Do tasks. */
export const ATTACHMENT_INFO: SessionShape = {
  describes: FOR_SESSION,
  parameter: 'attachmentInfo',
  members: {
    '': ['attachmentInfo'],
    '/attachmentInfo': [TYPE, ...Object.keys(attachmentInfoSchema.properties.attachmentInfo.properties)],
  },
  types: ['microsoft.graph.attachmentInfo'],
  isValid: validators.attachmentInfo,
};

/** A file with its bytes, or with the address of its bytes: messages, events, posts and outlookTasks. */
export const FILE_ATTACHMENT: BodyShape = {
  describes: 'a file to attach',
  members: fileMembers(fileAttachmentSchema),
  types: FILE_TYPES,
  isValid: validators.fileAttachment,
};

/** The same for To Do tasks. */
export const TASK_FILE_ATTACHMENT: BodyShape = {
  describes: 'a file to attach',
  members: fileMembers(taskFileAttachmentSchema),
  types: FILE_TYPES,
  isValid: validators.taskFileAttachment,
};

/** A file as workflows and custom connectors serialise it where they cannot send bytes. */
export const CONTENT_OBJECT: BodyShape = {
  describes: 'a file to attach',
  members: { '': Object.keys(contentObjectSchema.properties) },
  types: [],
  isValid: validators.contentObject,
};

interface FileSchema {
  readonly properties: { readonly contentBytes: { readonly properties: object } };
}

function fileMembers({ properties }: FileSchema): BodyShape['members'] {
  return { '': Object.keys(properties), '/contentBytes': Object.keys(properties.contentBytes.properties) };
}
