import { isObject } from '../common/isObject.ts';
import type { ErrorDetail } from '../errors.ts';
import type { BodyShape } from './bodyShape.ts';
import { escapePointer } from './explainError.ts';

/**
 * Gives every member its canonical spelling: Graph matches member names, the enum and type names without regard to case
 * (learn.microsoft.com/graph/traverse-the-graph). Objects without a prototype keep `__proto__` an ordinary name.
 */
export function canonicalise(value: unknown, shape: BodyShape, details: ErrorDetail[], pointer = ''): unknown {
  const known = shape.members[pointer];
  if (known === undefined || !isObject(value)) return value;
  const renamed = renameMembers(value, known, pointer, details);
  for (const name of known) {
    if (name in renamed) renamed[name] = canonicalise(renamed[name], shape, details, `${pointer}/${name}`);
  }
  const type = renamed['attachmentType'];
  if (typeof type === 'string') renamed['attachmentType'] = type.toLowerCase() === 'file' ? 'file' : type;
  const odataType = renamed['@odata.type'];
  if (typeof odataType === 'string') renamed['@odata.type'] = canonicalType(odataType, shape.types);
  return renamed;
}

/** With the `#` if it was written with one: Graph takes both. Other types stay as they are. */
function canonicalType(written: string, types: BodyShape['types']): string {
  const name = written.replace(/^#/, '').toLowerCase();
  const type = types.find((candidate) => candidate.toLowerCase() === name);
  if (type === undefined) return written;
  return written.startsWith('#') ? `#${type}` : type;
}

function renameMembers(
  object: Readonly<Record<string, unknown>>,
  known: readonly string[],
  pointer: string,
  details: ErrorDetail[],
): Record<string, unknown> {
  const renamed: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(object)) {
    const canonical = known.includes(name) ? name : canonicalName(name, known);
    if (canonical in renamed) {
      const message = `'${canonical}' stands here more than once, in different letter case.`;
      details.push({ code: 'DuplicateMember', message, target: `${pointer}/${escapePointer(canonical)}` });
    }
    renamed[canonical] = value;
  }
  return renamed;
}

function canonicalName(name: string, known: readonly string[]): string {
  const lower = name.toLowerCase();
  return known.find((candidate) => candidate.toLowerCase() === lower) ?? name;
}
