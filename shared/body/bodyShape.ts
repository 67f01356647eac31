import type { ValidateFunction } from 'ajv';
import * as validators from '../validators.generated.cjs';
import attachmentInfoSchema from './schemas/attachmentInfo.schema.json' with { type: 'json' };
import attachmentItemSchema from './schemas/attachmentItem.schema.json' with { type: 'json' };
import contentObjectSchema from './schemas/contentObject.schema.json' with { type: 'json' };
import fileAttachmentSchema from './schemas/fileAttachment.schema.json' with { type: 'json' };
import taskFileAttachmentSchema from './schemas/taskFileAttachment.schema.json' with { type: 'json' };

/** One body shape: the names of its members, and the compiled schema. */
export interface BodyShape {
  /** What a body of this shape describes, as an error names it. */
  readonly describes: string;
  /** The members of each object in the body, in Graph's spelling, by the object's JSON pointer. */
  readonly members: Readonly<Record<string, readonly string[]>>;
  readonly isValid: ValidateFunction;
}

/** A body of createUploadSession: one parameter, which holds the members. */
export interface SessionShape extends BodyShape {
  readonly parameter: string;
}

const FOR_SESSION = 'an attachment for an upload session';

/** Messages, events, posts and outlookTasks. */
export const ATTACHMENT_ITEM: SessionShape = {
  describes: FOR_SESSION,
  parameter: 'AttachmentItem',
  members: {
    '': ['AttachmentItem'],
    '/AttachmentItem': Object.keys(attachmentItemSchema.properties.AttachmentItem.properties),
  },
  isValid: validators.attachmentItem,
};

/** To Do tasks. */
export const ATTACHMENT_INFO: SessionShape = {
  describes: FOR_SESSION,
  parameter: 'attachmentInfo',
  members: {
    '': ['attachmentInfo'],
    '/attachmentInfo': Object.keys(attachmentInfoSchema.properties.attachmentInfo.properties),
  },
  isValid: validators.attachmentInfo,
};

/** A file with its bytes, or with the address of its bytes: messages, events, posts and outlookTasks. */
export const FILE_ATTACHMENT: BodyShape = {
  describes: 'a file to attach',
  members: fileMembers(fileAttachmentSchema),
  isValid: validators.fileAttachment,
};

/** The same for To Do tasks. */
export const TASK_FILE_ATTACHMENT: BodyShape = {
  describes: 'a file to attach',
  members: fileMembers(taskFileAttachmentSchema),
  isValid: validators.taskFileAttachment,
};

/** A file as workflows and custom connectors serialise it where they cannot send bytes. */
export const CONTENT_OBJECT: BodyShape = {
  describes: 'a file to attach',
  members: { '': Object.keys(contentObjectSchema.properties) },
  isValid: validators.contentObject,
};

interface FileSchema {
  readonly properties: { readonly contentBytes: { readonly properties: object } };
}

function fileMembers({ properties }: FileSchema): BodyShape['members'] {
  return { '': Object.keys(properties), '/contentBytes': Object.keys(properties.contentBytes.properties) };
}
