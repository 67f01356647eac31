import type { ValidateFunction } from 'ajv';
import * as validators from '../validators.generated.cjs';
import attachmentInfoSchema from './schemas/attachmentInfo.schema.json' with { type: 'json' };
import attachmentItemSchema from './schemas/attachmentItem.schema.json' with { type: 'json' };

/** One body shape: its parameter's name, its members in Graph's spelling, and the compiled schema. */
export interface BodyShape {
  readonly parameter: string;
  readonly members: readonly string[];
  readonly isValid: ValidateFunction;
}

/** Messages, events, posts and outlookTasks. */
export const ATTACHMENT_ITEM: BodyShape = {
  parameter: 'AttachmentItem',
  members: Object.keys(attachmentItemSchema.properties.AttachmentItem.properties),
  isValid: validators.attachmentItem,
};

/** To Do tasks. */
export const ATTACHMENT_INFO: BodyShape = {
  parameter: 'attachmentInfo',
  members: Object.keys(attachmentInfoSchema.properties.attachmentInfo.properties),
  isValid: validators.attachmentInfo,
};
