import type { ErrorDetail } from '../errors.ts';
import { isObject } from '../isObject.ts';
import type { ItemKind } from '../route/entityModel.ts';
import { ATTACHMENT_INFO, ATTACHMENT_ITEM, type SessionShape } from './bodyShape.ts';
import { checkShape, invalidAttachment } from './checkShape.ts';

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
  const { canonical, unlisted } = checkShape(body, shape, details);
  const sizeBytes = declaredSize(canonical, shape);
  const ceilingBytes = kind === 'todoTask' ? ceilings.toDoBytes : ceilings.outlookBytes;
  if (sizeBytes > ceilingBytes) {
    const message = `An upload session takes at most ${ceilingBytes} bytes; ${sizeBytes} were declared.`;
    details.push({ code: 'SizeTooLarge', message, target: `/${shape.parameter}/size` });
  }
  if (details.length > 0) throw invalidAttachment(`The body does not describe ${shape.describes}`, details, unlisted);
  return { sizeBytes, json: JSON.stringify(canonical) };
}

function declaredSize(canonical: unknown, shape: SessionShape): number {
  const item = isObject(canonical) ? canonical[shape.parameter] : undefined;
  const size = isObject(item) ? item['size'] : undefined;
  return typeof size === 'number' ? size : 0;
}
