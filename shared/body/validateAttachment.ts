import { type ErrorDetail, ServiceError } from '../errors.ts';
import { MAX_DETAILS } from '../limits.ts';
import type { ItemKind } from '../route/entityModel.ts';
import { ATTACHMENT_INFO, ATTACHMENT_ITEM, type BodyShape } from './bodyShape.ts';
import { canonicalise, isObject } from './canonicalise.ts';
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
 * Checks a parsed body against the shape that the item's kind takes. Every fault is told at once: a body is at
 * most 64 KiB and the schemas hold no costly patterns, so collecting all of them cannot be abused.
 *
 * @throws ServiceError InvalidAttachment with one detail per fault
 */
export function validateAttachment(body: unknown, kind: ItemKind, ceilings: SizeCeilings): ValidAttachment {
  const shape = kind === 'todoTask' ? ATTACHMENT_INFO : ATTACHMENT_ITEM;
  const details: ErrorDetail[] = [];
  const canonical = canonicalise(body, shape, details);
  if (!shape.isValid(canonical)) {
    details.push(...(shape.isValid.errors ?? []).map((error) => explainFault(error, shape)));
  }
  const sizeBytes = declaredSize(canonical, shape);
  const ceilingBytes = kind === 'todoTask' ? ceilings.toDoBytes : ceilings.outlookBytes;
  if (sizeBytes > ceilingBytes) {
    const message = `An upload session takes at most ${ceilingBytes} bytes; ${sizeBytes} were declared.`;
    details.push({ code: 'SizeTooLarge', message, target: `/${shape.parameter}/size` });
  }
  if (details.length > 0) throw invalid(details);
  return { sizeBytes, json: JSON.stringify(canonical) };
}

function declaredSize(canonical: unknown, shape: BodyShape): number {
  const item = isObject(canonical) ? canonical[shape.parameter] : undefined;
  const size = isObject(item) ? item['size'] : undefined;
  return typeof size === 'number' ? size : 0;
}

function invalid(faults: readonly ErrorDetail[]): ServiceError {
  const details = faults.toSorted((a, b) => (a.target < b.target ? -1 : 1)).slice(0, MAX_DETAILS);
  const [first] = details;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more, see details)` : '';
  const message = `The body does not describe an attachment for an upload session: ${first?.message ?? ''}${more}`;
  return new ServiceError('InvalidAttachment', message, { details, ...(first && { target: first.target }) });
}
