import { bodyError, isObject, membersOf, type Reading, readJsonObject, readMembers, stringOrNull } from './jsonBody.ts';
import type { DeclaredAttachment } from './sessionStore.ts';

/** Members of graph.attachmentItem and graph.attachmentInfo, by lower-case name (published CSDL). */
const SHARED_MEMBERS = {
  attachmenttype: 'attachmentType',
  name: 'string',
  size: 'int64',
  contenttype: 'string',
} as const;
const SHAPES = {
  AttachmentItem: { ...SHARED_MEMBERS, isinline: 'boolean', contentid: 'string' },
  attachmentInfo: SHARED_MEMBERS,
} as const;

/** Reads the body of createUploadSession. */
export function readAttachmentBody(
  text: string,
  contentType: string | undefined,
  parameter: keyof typeof SHAPES,
): Reading<DeclaredAttachment> {
  const body = readJsonObject(text, contentType);
  if (body.kind === 'fault') return body;
  const parameters = membersOf(body.value);
  const unexpected = [...parameters.keys()].find((name) => name !== parameter.toLowerCase());
  if (unexpected !== undefined) {
    return bodyError(
      400,
      'RequestBodyRead',
      `The parameter '${unexpected}' in the request payload is not a valid parameter for the operation 'createUploadSession'.`,
    );
  }
  const given = parameters.get(parameter.toLowerCase());
  if (!isObject(given)) {
    return bodyError(
      400,
      'RequestBodyRead',
      `The parameter '${parameter}' of the operation 'createUploadSession' is missing or is not an object.`,
    );
  }
  const members = readMembers(membersOf(given), SHAPES[parameter]);
  if (members.kind === 'fault') return members;
  const item = members.value;
  const attachmentType = item.get('attachmenttype') ?? 'file';
  if (typeof attachmentType === 'string' && attachmentType.toLowerCase() !== 'file') {
    return bodyError(
      405,
      'ErrorAttachmentSessionIsSupportedOnlyForFileAttachments',
      'Attachment session is supported only for file attachments.',
    );
  }
  const size = item.get('size');
  return {
    kind: 'read',
    value: {
      name: stringOrNull(item.get('name')),
      size: typeof size === 'number' ? size : 0,
      contentType: stringOrNull(item.get('contenttype')),
      isInline: item.get('isinline') === true,
      contentId: stringOrNull(item.get('contentid')),
    },
  };
}

/** An attachment that came with its bytes in JSON. */
export interface PostedAttachment extends DeclaredAttachment {
  readonly content: Buffer;
}

/** Members of graph.attachment and graph.attachmentBase that a client may write, by lower-case name (published CSDL). */
const FILE_MEMBERS = {
  name: 'string',
  contenttype: 'string',
  size: 'int32',
  lastmodifieddatetime: 'string',
  contentbytes: 'binary',
} as const;
const FILE_TYPES = {
  fileAttachment: {
    base: 'attachment',
    shape: { ...FILE_MEMBERS, isinline: 'boolean', contentid: 'string', contentlocation: 'string' },
  },
  taskFileAttachment: { base: 'attachmentBase', shape: FILE_MEMBERS },
} as const;

export type FileAttachmentType = keyof typeof FILE_TYPES;

/** Reads the body of a POST to an attachments collection. The declared size counts for nothing. */
export function readFileAttachmentBody(
  text: string,
  contentType: string | undefined,
  type: FileAttachmentType,
): Reading<PostedAttachment> {
  const body = readJsonObject(text, contentType);
  if (body.kind === 'fault') return body;
  const { base, shape } = FILE_TYPES[type];
  const named = '@odata.type' in body.value ? body.value['@odata.type'] : undefined;
  if (named === undefined) {
    // Seen so in microsoftgraph/msgraph-beta-sdk-dotnet#479.
    return bodyError(422, 'UnprocessableType', `Cannot process input of abstract type 'microsoft.graph.${base}'`);
  }
  if (typeof named !== 'string' || named.replace(/^#/, '').toLowerCase() !== `microsoft.graph.${type}`.toLowerCase()) {
    return bodyError(400, 'BadRequest', `Invalid OData type specified: "${named}"`);
  }
  const members = readMembers(membersOf(body.value), shape);
  if (members.kind === 'fault') return members;
  const name = stringOrNull(members.value.get('name'));
  const contentBytes = stringOrNull(members.value.get('contentbytes'));
  if (name === null || contentBytes === null) {
    return bodyError(400, 'ErrorRequiredPropertyMissing', 'Required property is missing: name, contentBytes.');
  }
  const content = Buffer.from(contentBytes, 'base64');
  return {
    kind: 'read',
    value: {
      name,
      size: content.length,
      contentType: stringOrNull(members.value.get('contenttype')),
      isInline: members.value.get('isinline') === true,
      contentId: stringOrNull(members.value.get('contentid')),
      content,
    },
  };
}
