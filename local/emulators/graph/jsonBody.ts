import { GraphError } from './graphResponse.ts';

type MemberType = 'string' | 'boolean' | 'int32' | 'int64' | 'binary' | 'attachmentType';
/** Types by lower-case member name. */
export type Shape = Readonly<Record<string, MemberType>>;
/** Members by lower-case name, without annotations: Graph reads names in any case. */
export type Members = ReadonlyMap<string, unknown>;

const ATTACHMENT_TYPES = ['file', 'item', 'reference'];
/** Both alphabets: OData writes base64url, Graph's clients write base64. */
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** Reads a JSON object as Graph's OData reader does. @throws GraphError */
export function readJsonObject(text: string, contentType: string | undefined): object {
  if (text.trim() === '') throw new GraphError(400, 'BadRequest', 'Empty Payload. JSON content expected.');
  const body = parseJson(text);
  if (body === undefined || !/^application\/json\b/i.test(contentType ?? '')) {
    throw new GraphError(
      400,
      'BadRequest',
      'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
    );
  }
  if (!isObject(body)) throw new GraphError(400, 'UnableToDeserializePostBody', 'were unable to deserialize ');
  return body;
}

export function membersOf(value: object): Members {
  const entries = Object.entries(value).filter(([name]) => !name.includes('@'));
  return new Map(entries.map(([name, member]) => [name.toLowerCase(), member]));
}

/** Checks names and types; null is valid for any type. @throws GraphError */
export function readMembers(value: object, shape: Shape): Members {
  const members = membersOf(value);
  for (const [name, member] of members) {
    const type = shape[name];
    if (type === undefined) {
      throw invalidBody(
        `The property '${name}' does not exist on the type. Make sure to only use property names that are defined by the type.`,
      );
    }
    if (member !== null && !isOfType(member, type)) {
      throw invalidBody(`Cannot convert the value of '${name}' to the expected type '${type}'.`);
    }
  }
  return members;
}

export function invalidBody(message: string): GraphError {
  return new GraphError(400, 'RequestBodyRead', message);
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
