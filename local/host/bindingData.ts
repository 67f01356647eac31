import type { TypedData } from './messages.ts';

/** A map whose names ignore letter case: the first spelling stays, the last value wins. */
export class CaseInsensitiveMap<T> {
  readonly #entries = new Map<string, readonly [spelling: string, value: T]>();

  set(name: string, value: T): void {
    const key = name.toUpperCase();
    this.#entries.set(key, [this.#entries.get(key)?.[0] ?? name, value]);
  }

  get(name: string): T | undefined {
    return this.#entries.get(name.toUpperCase())?.[1];
  }

  has(name: string): boolean {
    return this.#entries.has(name.toUpperCase());
  }

  entries(): readonly (readonly [string, T])[] {
    return [...this.#entries.values()];
  }
}

/** The host's data about a trigger. Undefined hides an earlier value. */
export type BindingData = CaseInsensitiveMap<TypedData | undefined>;

/**
 * Adds the members of a text that parses as a JSON object: objects as JSON, the rest as text, without arrays and nulls.
 * Newtonsoft's parser accepts more than JSON (comments, single quotes); this host ignores such a text.
 * (azure-functions-host and azure-webjobs-sdk-extensions: Utility.ApplyBindingData)
 */
export function addMembers(data: BindingData, text: string): void {
  for (const [name, value] of Object.entries(parseObject(text))) {
    if (typeof value !== 'object') {
      data.set(name, { string: toText(value) });
    } else if (value !== null && !Array.isArray(value)) {
      data.set(name, { json: JSON.stringify(value) });
    }
  }
}

/** The data as the worker receives it. */
export function toMetadata(data: BindingData): Record<string, TypedData> {
  return Object.fromEntries(data.entries().flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** Deeper JSON counts as invalid (Newtonsoft.Json: JsonReader.MaxDepth). */
const MAX_DEPTH = 64;

function parseObject(text: string): object {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}')) return {};
  try {
    const parsed: unknown = JSON.parse(trimmed);
    return typeof parsed === 'object' && parsed !== null && !isTooDeep(parsed, 1) ? parsed : {};
  } catch {
    return {};
  }
}

function isTooDeep(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth > MAX_DEPTH || Object.values(value).some((member) => isTooDeep(member, depth + 1));
}

/** .NET writes booleans with a capital letter. */
function toText(value: unknown): string {
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value);
}
