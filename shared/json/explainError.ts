import type { ErrorObject } from 'ajv';
import { isObject } from '../common/isObject.ts';
import { editsBetween, isNear } from '../common/nearName.ts';
import type { ErrorDetail } from '../errors.ts';
import type { BodyShape } from './bodyShape.ts';

/** One fault as ajv reports it, in words that a maker of workflows can act on. */
export function explainError({ keyword, instancePath, params, data }: ErrorObject, shape: BodyShape): ErrorDetail {
  const member = instancePath.slice(instancePath.lastIndexOf('/') + 1);
  switch (keyword) {
    case 'required': {
      const missing = String(params['missingProperty']);
      const flat = isObject(data)
        ? Object.keys(data).filter((name) => parameterOf(name, instancePath, shape) === missing)
        : [];
      const move = flat.length > 0 ? ` Put ${quote(flat)} inside it.` : '';
      return { code: 'Required', message: `'${missing}' is missing.${move}`, target: `${instancePath}/${missing}` };
    }
    case 'additionalProperties': {
      const name = String(params['additionalProperty']);
      const parameter = parameterOf(name, instancePath, shape);
      const known = (shape.members[instancePath] ?? []).filter((candidate) => !candidate.startsWith('@'));
      const message =
        parameter === undefined
          ? `'${name}' is not a member here. ${suggest(name, known)}`
          : `'${name}' belongs inside '${parameter}'.`;
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
      return { code: 'ValueNotAllowed', message: WRONG_TYPE, target: instancePath };
  }
}

/** The schemas have one pattern, for this member. */
const WRONG_TYPE =
  "Only files can be attached. Set '@odata.type' to '#microsoft.graph.fileAttachment' (for To Do '#microsoft.graph.taskFileAttachment'), or leave it out.";

/** The object that a member at the top belongs to: bodies are often sent without their one parameter around them. */
function parameterOf(name: string, instancePath: string, { members }: BodyShape): string | undefined {
  if (instancePath !== '') return undefined;
  const isIn = (known: readonly string[] = []) => known.some((member) => member.toLowerCase() === name.toLowerCase());
  return members['']?.find(
    (parameter) => !isIn(members['']) && !name.startsWith('@') && isIn(members[`/${parameter}`]),
  );
}

function quote(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(', ');
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
