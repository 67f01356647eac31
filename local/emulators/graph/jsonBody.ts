/** What is wrong with a body, in the terms Graph answers with. */
export interface BodyError {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

export type Reading<Value> =
  | { readonly kind: 'read'; readonly value: Value }
  | { readonly kind: 'fault'; readonly error: BodyError };

export type MemberType = 'string' | 'boolean' | 'int32' | 'int64' | 'binary' | 'attachmentType';
/** Types by lower-case member name. */
export type Shape = Readonly<Record<string, MemberType>>;
/** Members by lower-case name, annotations left out: names are read in any case. */
export type Members = ReadonlyMap<string, unknown>;

const ATTACHMENT_TYPES = ['file', 'item', 'reference'];
/** Both alphabets: OData writes base64url, Graph's clients write base64. */
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** Reads a JSON object as Graph's OData reader does. */
export function readJsonObject(text: string, contentType: string | undefined): Reading<object> {
  if (text.trim() === '') return bodyError(400, 'BadRequest', 'Empty Payload. JSON content expected.');
  const body = parseJson(text);
  if (body === undefined || !/^application\/json\b/i.test(contentType ?? '')) {
    return bodyError(
      400,
      'BadRequest',
      'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
    );
  }
  if (!isObject(body)) return bodyError(400, 'UnableToDeserializePostBody', 'were unable to deserialize ');
  return { kind: 'read', value: body };
}

export function membersOf(value: object): Members {
  const entries = Object.entries(value).filter(([name]) => !name.includes('@'));
  return new Map(entries.map(([name, member]) => [name.toLowerCase(), member]));
}

/** Checks names and types; a null passes for any type. */
export function readMembers(members: Members, shape: Shape): Reading<Members> {
  for (const [name, value] of members) {
    const type = shape[name];
    if (type === undefined) {
      return bodyError(
        400,
        'RequestBodyRead',
        `The property '${name}' does not exist on the type. Make sure to only use property names that are defined by the type.`,
      );
    }
    if (value !== null && !isOfType(value, type)) {
      return bodyError(400, 'RequestBodyRead', `Cannot convert the value of '${name}' to the expected type '${type}'.`);
    }
  }
  return { kind: 'read', value: members };
}

export function bodyError(status: number, code: string, message: string): Reading<never> {
  return { kind: 'fault', error: { status, code, message } };
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function stringOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isOfType(value: unknown, type: MemberType): boolean {
  switch (type) {
    case 'int32':
      return typeof value === 'number' && (value | 0) === value;
    case 'int64':
      return Number.isSafeInteger(value);
    case 'binary':
      return typeof value === 'string' && BASE64.test(value);
    case 'attachmentType':
      return typeof value === 'string' && ATTACHMENT_TYPES.includes(value.toLowerCase());
    default:
      return typeof value === type;
  }
}
