import type { ErrorDetail } from '../errors.ts';
import { isObject } from '../isObject.ts';
import type { BodyShape } from './bodyShape.ts';
import { escapePointer } from './explainFault.ts';

/**
 * Gives every member its canonical spelling: Graph matches member names and the enum without regard to case
 * (learn.microsoft.com/graph/traverse-the-graph). Objects without a prototype keep `__proto__` an ordinary name.
 */
export function canonicalise(body: unknown, shape: BodyShape, details: ErrorDetail[]): unknown {
  if (!isObject(body)) return body;
  const outer = renameMembers(body, [shape.parameter], '', details);
  const item = outer[shape.parameter];
  if (!isObject(item)) return outer;
  const inner = renameMembers(item, shape.members, `/${shape.parameter}`, details);
  const type = inner['attachmentType'];
  if (typeof type === 'string') inner['attachmentType'] = type.toLowerCase() === 'file' ? 'file' : type;
  outer[shape.parameter] = inner;
  return outer;
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
