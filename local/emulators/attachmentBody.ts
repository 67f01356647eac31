import { fault, isObject, membersOf, type Reading, readJsonObject, readMembers, stringOrNull } from './jsonBody.ts';
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
    return fault(
      400,
      'RequestBodyRead',
      `The parameter '${unexpected}' in the request payload is not a valid parameter for the operation 'createUploadSession'.`,
    );
  }
  const given = parameters.get(parameter.toLowerCase());
  if (!isObject(given)) {
    return fault(
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
    return fault(
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
