import { CaseInsensitiveMap } from './caseInsensitiveMap.ts';
import type { TypedData } from './messages.ts';

/** What the host knows of a trigger, by names that differ in more than letter case. Undefined hides what stood there. */
export type BindingData = CaseInsensitiveMap<TypedData | undefined>;

export function createBindingData(): BindingData {
  return new CaseInsensitiveMap();
}

/**
 * Mixes in the members of a text that parses as a JSON object: objects as JSON, the rest as text, arrays and nulls not
 * at all. Newtonsoft's parser takes more than JSON (comments, single quotes); such a text counts as none here.
 * (azure-functions-host and azure-webjobs-sdk-extensions: Utility.ApplyBindingData)
 */
export function mixInMembers(data: BindingData, text: string): void {
  for (const [name, value] of Object.entries(parseObject(text))) {
    if (typeof value === 'object' ? value !== null && !Array.isArray(value) : true) {
      data.set(name, typeof value === 'object' ? { json: JSON.stringify(value) } : { string: toText(value) });
    }
  }
}

/** The data as the worker is sent it. */
export function toMetadata(data: BindingData): Record<string, TypedData> {
  const metadata: Record<string, TypedData> = {};
  for (const [name, value] of data.entries()) {
    if (value !== undefined) {
      Object.defineProperty(metadata, name, { value, enumerable: true, configurable: true, writable: true });
    }
  }
  return metadata;
}

/** What is nested deeper counts as no JSON (Newtonsoft.Json: JsonReader.MaxDepth). */
const MAX_DEPTH = 64;

function parseObject(text: string): object {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}') || isTooDeep(trimmed)) {
    return {};
  }
  try {
    const parsed: unknown = JSON.parse(trimmed);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

/** Character by character: a pattern over a string of many megabytes would overflow the stack. */
function isTooDeep(json: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at] ?? '';
    if (isInString && character === '\\') at += 1;
    else if (character === '"') isInString = !isInString;
    else if (!isInString && '{['.includes(character)) depth += 1;
    else if (!isInString && '}]'.includes(character)) depth -= 1;
    if (depth > MAX_DEPTH) {
      return true;
    }
  }
  return false;
}

/** .NET spells truth with a capital letter. */
function toText(value: unknown): string {
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value);
}
