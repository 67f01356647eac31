import type { ErrorObject } from 'ajv';
import type { ErrorDetail } from '../errors.ts';
import { editsBetween, isNear } from '../nearName.ts';
import type { BodyShape } from './bodyShape.ts';

/** One fault as ajv reports it, in words that a maker of workflows can act on. */
export function explainFault({ keyword, instancePath, params, data }: ErrorObject, shape: BodyShape): ErrorDetail {
  const member = instancePath.slice(instancePath.lastIndexOf('/') + 1);
  switch (keyword) {
    case 'required': {
      const missing = String(params['missingProperty']);
      return { code: 'Required', message: `'${missing}' is missing.`, target: `${instancePath}/${missing}` };
    }
    case 'additionalProperties': {
      const name = String(params['additionalProperty']);
      const known = (shape.members[instancePath] ?? []).filter((candidate) => !candidate.startsWith('@'));
      const message = `'${name}' is not a member here. ${suggest(name, known)}`;
      return { code: 'UnknownMember', message, target: `${instancePath}/${escapePointer(name)}` };
    }
    case 'type':
      return { code: 'WrongType', message: wrongType(member, params['type'], data), target: instancePath };
    case 'enum':
      return {
        code: 'ValueNotAllowed',
        message: "Only 'file' can be uploaded through a session.",
        target: instancePath,
      };
    case 'minimum':
      return { code: 'ValueNotAllowed', message: `'${member}' must be at least 1.`, target: instancePath };
    case 'minLength':
      return { code: 'ValueNotAllowed', message: `'${member}' must not be empty.`, target: instancePath };
    default:
      return { code: 'ValueNotAllowed', message: wrongText(member), target: instancePath };
  }
}

/** Every pattern but one keeps control characters out. */
function wrongText(member: string): string {
  if (member === '@odata.type') return "Only a '#microsoft.graph.fileAttachment' can be attached, or its kin of To Do.";
  return `'${member}' must not hold control characters.`;
}

function wrongType(member: string, expected: unknown, data: unknown): string {
  const types = [expected].flat().join(' or ');
  const subject = member === '' ? 'The body' : `'${member}'`;
  const isQuotedNumber = types === 'integer' && typeof data === 'string' && /^\s*\d+\s*$/.test(data);
  const hint = isQuotedNumber ? ' Send the number without quotes.' : '';
  return `${subject} must be ${types}, not ${jsonTypeOf(data)}.${hint}`;
}

function jsonTypeOf(data: unknown): string {
  if (data === null) return 'null';
  if (Array.isArray(data)) return 'array';
  if (data === Number.POSITIVE_INFINITY || data === Number.NEGATIVE_INFINITY) return 'a number out of range';
  if (typeof data === 'number' && !Number.isInteger(data)) return 'a number with a fraction';
  return typeof data;
}

function suggest(name: string, known: readonly string[]): string {
  const [nearest] = known
    .map((candidate) => ({ candidate, away: editsBetween(name, candidate) }))
    .sort((a, b) => a.away - b.away);
  if (nearest !== undefined && (known.length === 1 || isNear(name, nearest.candidate))) {
    return `Did you mean '${nearest.candidate}'?`;
  }
  return `Known: ${known.join(', ')}.`;
}

/** RFC 6901, section 3. */
export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
