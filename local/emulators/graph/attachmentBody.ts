import { GraphError } from './graphResponse.ts';
import {
  invalidBody,
  isObject,
  type Members,
  membersOf,
  readJsonObject,
  readMembers,
  stringOrNull,
} from './jsonBody.ts';

/** The attachment that the caller declares, in `AttachmentItem` or `attachmentInfo`. */
export interface DeclaredAttachment {
  readonly name: string | null;
  readonly size: number;
  readonly contentType: string | null;
  readonly isInline: boolean;
  readonly contentId: string | null;
}

/** An attachment sent as JSON, with its bytes. */
export interface PostedAttachment extends DeclaredAttachment {
  readonly content: Buffer;
}

/** Members of graph.attachmentItem and graph.attachmentInfo, by lower-case name (published CSDL). */
const SHARED_MEMBERS = {
  attachmenttype: 'attachmentType',
  name: 'string',
  size: 'int64',
  contenttype: 'string',
} as const;
const DECLARED_TYPES = {
  AttachmentItem: { ...SHARED_MEMBERS, isinline: 'boolean', contentid: 'string' },
  attachmentInfo: SHARED_MEMBERS,
} as const;

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

/** Reads the body of createUploadSession. @throws GraphError */
export function readAttachmentBody(
  text: string,
  contentType: string | undefined,
  parameter: keyof typeof DECLARED_TYPES,
): DeclaredAttachment {
  const parameters = membersOf(readJsonObject(text, contentType));
  const unexpected = [...parameters.keys()].find((name) => name !== parameter.toLowerCase());
  if (unexpected !== undefined) {
    throw invalidBody(
      `The parameter '${unexpected}' in the request payload is not a valid parameter for the operation 'createUploadSession'.`,
    );
  }
  const given = parameters.get(parameter.toLowerCase());
  if (!isObject(given)) {
    throw invalidBody(
      `The parameter '${parameter}' of the operation 'createUploadSession' is missing or is not an object.`,
    );
  }
  const members = readMembers(given, DECLARED_TYPES[parameter]);
  const attachmentType = members.get('attachmenttype') ?? 'file';
  if (typeof attachmentType === 'string' && attachmentType.toLowerCase() !== 'file') {
    throw new GraphError(
      405,
      'ErrorAttachmentSessionIsSupportedOnlyForFileAttachments',
      'Attachment session is supported only for file attachments.',
    );
  }
  const size = members.get('size');
  return declaredAttachment(members, typeof size === 'number' ? size : 0);
}

/** Reads the body of a POST to an attachments collection. Graph ignores the declared size. @throws GraphError */
export function readFileAttachmentBody(
  text: string,
  contentType: string | undefined,
  type: FileAttachmentType,
): PostedAttachment {
  const body = readJsonObject(text, contentType);
  const { base, shape } = FILE_TYPES[type];
  const named = '@odata.type' in body ? body['@odata.type'] : undefined;
  if (named === undefined) {
    // Seen in microsoftgraph/msgraph-beta-sdk-dotnet#479.
    const message = `Cannot process input of abstract type 'microsoft.graph.${base}'`;
    throw new GraphError(422, 'UnprocessableType', message);
  }
  if (typeof named !== 'string' || named.replace(/^#/, '').toLowerCase() !== `microsoft.graph.${type}`.toLowerCase()) {
    throw new GraphError(400, 'BadRequest', `Invalid OData type specified: "${named}"`);
  }
  const members = readMembers(body, shape);
  const contentBytes = stringOrNull(members.get('contentbytes'));
  if (stringOrNull(members.get('name')) === null || contentBytes === null) {
    const message = 'Required property is missing: name, contentBytes.';
    throw new GraphError(400, 'ErrorRequiredPropertyMissing', message);
  }
  const content = Buffer.from(contentBytes, 'base64');
  return { ...declaredAttachment(members, content.length), content };
}

function declaredAttachment(members: Members, size: number): DeclaredAttachment {
  return {
    name: stringOrNull(members.get('name')),
    size,
    contentType: stringOrNull(members.get('contenttype')),
    isInline: members.get('isinline') === true,
    contentId: stringOrNull(members.get('contentid')),
  };
}
