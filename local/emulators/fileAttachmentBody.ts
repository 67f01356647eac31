import { fault, membersOf, type Reading, readJsonObject, readMembers, stringOrNull } from './jsonBody.ts';
import type { DeclaredAttachment } from './sessionStore.ts';

/** An attachment that came with its bytes in JSON. */
export interface PostedAttachment extends DeclaredAttachment {
  readonly content: Buffer;
}

/** Members of graph.attachment and graph.attachmentBase that a client may write, by lower-case name (published CSDL). */
const SHARED_MEMBERS = {
  name: 'string',
  contenttype: 'string',
  size: 'int32',
  lastmodifieddatetime: 'string',
  contentbytes: 'binary',
} as const;
const TYPES = {
  fileAttachment: {
    base: 'attachment',
    shape: { ...SHARED_MEMBERS, isinline: 'boolean', contentid: 'string', contentlocation: 'string' },
  },
  taskFileAttachment: { base: 'attachmentBase', shape: SHARED_MEMBERS },
} as const;

export type FileAttachmentType = keyof typeof TYPES;

/** Reads the body of a POST to an attachments collection. The declared size counts for nothing. */
export function readFileAttachmentBody(
  text: string,
  contentType: string | undefined,
  type: FileAttachmentType,
): Reading<PostedAttachment> {
  const body = readJsonObject(text, contentType);
  if (body.kind === 'fault') return body;
  const { base, shape } = TYPES[type];
  const named = '@odata.type' in body.value ? body.value['@odata.type'] : undefined;
  if (named === undefined) {
    // Seen so in microsoftgraph/msgraph-beta-sdk-dotnet#479.
    return fault(422, 'UnprocessableType', `Cannot process input of abstract type 'microsoft.graph.${base}'`);
  }
  if (typeof named !== 'string' || named.replace(/^#/, '').toLowerCase() !== `microsoft.graph.${type}`.toLowerCase()) {
    return fault(400, 'BadRequest', `Invalid OData type specified: "${named}"`);
  }
  const members = readMembers(membersOf(body.value), shape);
  if (members.kind === 'fault') return members;
  const name = stringOrNull(members.value.get('name'));
  const contentBytes = stringOrNull(members.value.get('contentbytes'));
  if (name === null || contentBytes === null) {
    return fault(400, 'ErrorRequiredPropertyMissing', 'Required property is missing: name, contentBytes.');
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
