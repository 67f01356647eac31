import { MAX_DETAILS } from '../common/limits.ts';
import { type ErrorDetail, ServiceError } from '../errors.ts';
import type { BodyShape } from './bodyShape.ts';
import { canonicalise } from './canonicalise.ts';
import { explainError } from './explainError.ts';

export interface CheckedShape {
  /** The body with its members in Graph's spelling. */
  readonly canonical: unknown;
  /** How many faults there are beside those that were added to the details. */
  readonly unlisted: number;
}

/** Holds a parsed body against the shape's schema and adds what is wrong to `details`. */
export function validateShape(body: unknown, shape: BodyShape, details: ErrorDetail[]): CheckedShape {
  const canonical = canonicalise(body, shape, details);
  const errors = shape.isValid(canonical) ? [] : (shape.isValid.errors ?? []);
  details.push(...errors.slice(0, MAX_DETAILS).map((error) => explainError(error, shape)));
  return { canonical, unlisted: Math.max(0, errors.length - MAX_DETAILS) };
}

/**
 * One fault per place, the first found: a value of the wrong type breaks the rules for its value as well. Those beyond
 * the limit are counted, not listed.
 *
 * @param what begins the message, such as `The body does not describe a file`
 */
export function invalidAttachment(what: string, found: readonly ErrorDetail[], unlisted = 0): ServiceError {
  const faults = [...new Map(found.toReversed().map((fault) => [fault.target, fault])).values()];
  const details = faults.toSorted((a, b) => (a.target < b.target ? -1 : 1));
  const [first] = details;
  const others = details.length - 1 + unlisted;
  const more = others > 0 ? ` (and ${others} more, see details)` : '';
  // A file that is too large is described well enough.
  const begin = first?.code === 'SizeTooLarge' ? '' : `${what}: `;
  const message = `${begin}${first?.message ?? ''}${more}`;
  return new ServiceError('InvalidAttachment', message, { details, ...(first && { target: first.target }) });
}
