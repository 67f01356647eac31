import type { DeclaredAttachment } from './sessionStore.ts';

/** What is wrong with a body, in the terms Graph answers with. */
export interface BodyFault {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export type BodyReading =
  | { readonly kind: 'read'; readonly attachment: DeclaredAttachment }
  | { readonly kind: 'fault'; readonly fault: BodyFault };

type MemberType = 'string' | 'boolean' | 'int64' | 'attachmentType';

/** Members of graph.attachmentItem and graph.attachmentInfo, by lower-case name (published CSDL). */
const SHARED_MEMBERS = {
  attachmenttype: 'attachmentType',
  name: 'string',
  size: 'int64',
  contenttype: 'string',
} as const;
const SHAPES = {
  attachmentitem: { ...SHARED_MEMBERS, isinline: 'boolean', contentid: 'string' },
  attachmentinfo: SHARED_MEMBERS,
} as const satisfies Record<string, Record<string, MemberType>>;

const ATTACHMENT_TYPES = ['file', 'item', 'reference'];

/** Reads the body of createUploadSession as Graph's OData reader does: member names in any case, annotations skipped. */
export function readAttachmentBody(
  text: string,
  contentType: string | undefined,
  parameter: 'AttachmentItem' | 'attachmentInfo',
): BodyReading {
  if (text.trim() === '') return fault('BadRequest', 'Empty Payload. JSON content expected.');
  const body = parseJson(text);
  if (body === undefined || !/^application\/json\b/i.test(contentType ?? '')) {
    return fault(
      'BadRequest',
      'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
    );
  }
  if (!isObject(body)) return fault('UnableToDeserializePostBody', 'were unable to deserialize ');
  const parameters = members(body);
  const unexpected = [...parameters.keys()].find((name) => name !== parameter.toLowerCase());
  if (unexpected !== undefined)
    return fault(
      'RequestBodyRead',
      `The parameter '${unexpected}' in the request payload is not a valid parameter for the operation 'createUploadSession'.`,
    );
  const item = parameters.get(parameter.toLowerCase());
  if (!isObject(item))
    return fault(
      'RequestBodyRead',
      `The parameter '${parameter}' of the operation 'createUploadSession' is missing or is not an object.`,
    );
  return readMembers(members(item), parameter === 'AttachmentItem' ? SHAPES.attachmentitem : SHAPES.attachmentinfo);
}

function readMembers(item: ReadonlyMap<string, unknown>, shape: Readonly<Record<string, MemberType>>): BodyReading {
  for (const [name, value] of item) {
    const type = shape[name];
    if (type === undefined)
      return fault(
        'RequestBodyRead',
        `The property '${name}' does not exist on the type. Make sure to only use property names that are defined by the type.`,
      );
    if (value !== null && !isOfType(value, type))
      return fault('RequestBodyRead', `Cannot convert the value of '${name}' to the expected type '${type}'.`);
  }
  const attachmentType = item.get('attachmenttype') ?? 'file';
  if (typeof attachmentType === 'string' && attachmentType.toLowerCase() !== 'file') {
    return {
      kind: 'fault',
      fault: {
        status: 405,
        code: 'ErrorAttachmentSessionIsSupportedOnlyForFileAttachments',
        message: 'Attachment session is supported only for file attachments.',
      },
    };
  }
  const size = item.get('size');
  return {
    kind: 'read',
    attachment: {
      name: stringOrNull(item.get('name')),
      size: typeof size === 'number' ? size : 0,
      contentType: stringOrNull(item.get('contenttype')),
      isInline: item.get('isinline') === true,
      contentId: stringOrNull(item.get('contentid')),
    },
  };
}

function fault(code: string, message: string): BodyReading {
  return { kind: 'fault', fault: { status: 400, code, message } };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function members(value: object): Map<string, unknown> {
  const entries = Object.entries(value).filter(([name]) => !name.includes('@'));
  return new Map(entries.map(([name, member]) => [name.toLowerCase(), member]));
}

function isOfType(value: unknown, type: MemberType): boolean {
  if (type === 'int64') return Number.isSafeInteger(value);
  if (type === 'attachmentType') return typeof value === 'string' && ATTACHMENT_TYPES.includes(value.toLowerCase());
  return typeof value === type;
}

function stringOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
