/** Made by `npm run generate` from the JSON Schemas (ajv standalone code); the .cjs beside this file is not kept in git. */
import type { ValidateFunction } from 'ajv';

export const attachmentItem: ValidateFunction;
export const attachmentInfo: ValidateFunction;
export const fileAttachment: ValidateFunction;
export const taskFileAttachment: ValidateFunction;
export const contentObject: ValidateFunction;
export const policy: ValidateFunction;
export const uploadRecord: ValidateFunction;
export const jobRecord: ValidateFunction;
export const idempotencyRecord: ValidateFunction;
