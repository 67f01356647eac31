import { type ErrorDetail, ServiceError } from '../errors.ts';
import { isObject } from '../isObject.ts';
import { MAX_DETAILS } from '../limits.ts';
import type { ItemKind } from '../route/entityModel.ts';
import { ATTACHMENT_INFO, ATTACHMENT_ITEM, type BodyShape } from './bodyShape.ts';
import { canonicalise } from './canonicalise.ts';
import { explainFault } from './explainFault.ts';

/** Largest declared size per kind of session, in bytes. */
export interface SizeCeilings {
  readonly outlookBytes: number;
  readonly toDoBytes: number;
}

/** A body that has passed every rule. Only validateAttachment makes one. */
export interface ValidAttachment {
  /** The declared length of the file in bytes. */
  readonly sizeBytes: number;
  /** The checked object, serialised anew: what was validated is what is forwarded. */
  readonly json: string;
}

/**
 * Checks a parsed body against the shape that the item's kind takes. Every fault is listed at once: a body is at
 * most 64 KiB and the schemas hold no costly patterns, so collecting all of them cannot be abused.
 *
 * @throws ServiceError InvalidAttachment with one detail per fault
 */
export function validateAttachment(body: unknown, kind: ItemKind, ceilings: SizeCeilings): ValidAttachment {
  const shape = kind === 'todoTask' ? ATTACHMENT_INFO : ATTACHMENT_ITEM;
  const details: ErrorDetail[] = [];
  const canonical = canonicalise(body, shape, details);
  const errors = shape.isValid(canonical) ? [] : (shape.isValid.errors ?? []);
  details.push(...errors.slice(0, MAX_DETAILS).map((error) => explainFault(error, shape)));
  const sizeBytes = declaredSize(canonical, shape);
  const ceilingBytes = kind === 'todoTask' ? ceilings.toDoBytes : ceilings.outlookBytes;
  if (sizeBytes > ceilingBytes) {
    const message = `An upload session takes at most ${ceilingBytes} bytes; ${sizeBytes} were declared.`;
    details.push({ code: 'SizeTooLarge', message, target: `/${shape.parameter}/size` });
  }
  if (details.length > 0) throw invalid(details, Math.max(0, errors.length - MAX_DETAILS));
  return { sizeBytes, json: JSON.stringify(canonical) };
}

function declaredSize(canonical: unknown, shape: BodyShape): number {
  const item = isObject(canonical) ? canonical[shape.parameter] : undefined;
  const size = isObject(item) ? item['size'] : undefined;
  return typeof size === 'number' ? size : 0;
}

/**
 * One fault per place, the first found: a value of the wrong type breaks the rules for its value as well. Those beyond
 * the limit are counted, not listed.
 */
function invalid(found: readonly ErrorDetail[], unlisted: number): ServiceError {
  const faults = [...new Map(found.toReversed().map((fault) => [fault.target, fault])).values()];
  const details = faults.toSorted((a, b) => (a.target < b.target ? -1 : 1));
  const [first] = details;
  const others = details.length - 1 + unlisted;
  const more = others > 0 ? ` (and ${others} more, see details)` : '';
  const message = `The body does not describe an attachment for an upload session: ${first?.message ?? ''}${more}`;
  return new ServiceError('InvalidAttachment', message, { details, ...(first && { target: first.target }) });
}
