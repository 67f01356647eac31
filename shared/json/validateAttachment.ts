import { isObject } from '../common/isObject.ts';
import type { ErrorDetail } from '../errors.ts';
import type { ItemKind } from '../paths/entityModel.ts';
import type { UploadRecord } from '../uploads/uploadRecord.ts';
import { ATTACHMENT_INFO, ATTACHMENT_ITEM, type SessionShape } from './bodyShape.ts';
import { invalidAttachment, validateShape } from './validateShape.ts';

/** Largest declared size per kind of session, in bytes. */
export interface MaxSizes {
  readonly outlookBytes: number;
  readonly toDoBytes: number;
}

/** A body that has passed every rule. Only validateAttachment makes one. */
export interface ValidAttachment {
  /** What was declared, as an upload keeps it. */
  readonly declared: UploadRecord['attachment'];
  /** The checked object, serialised anew: what was validated is what is forwarded. */
  readonly json: string;
}

/**
 * Checks a parsed body against the shape that the item's kind takes. Every fault is listed at once: a body is at
 * most 64 KiB and the schemas hold no costly patterns, so collecting all of them cannot be abused.
 *
 * @throws ServiceError InvalidAttachment with one detail per fault
 */
export function validateAttachment(body: unknown, kind: ItemKind, ceilings: MaxSizes): ValidAttachment {
  const shape = kind === 'todoTask' ? ATTACHMENT_INFO : ATTACHMENT_ITEM;
  const details: ErrorDetail[] = [];
  const { canonical, unlisted } = validateShape(body, shape, details);
  const { sizeBytes } = declaredIn(canonical, shape);
  const maxBytes = kind === 'todoTask' ? ceilings.toDoBytes : ceilings.outlookBytes;
  if (sizeBytes > maxBytes) {
    const message = `An upload session takes at most ${maxBytes} bytes; ${sizeBytes} were declared.`;
    details.push({ code: 'SizeTooLarge', message, target: `/${shape.parameter}/size` });
  }
  if (details.length > 0) throw invalidAttachment(`The body does not describe ${shape.describes}`, details, unlisted);
  return { declared: declaredIn(canonical, shape), json: JSON.stringify(canonical) };
}

/** The members by their types; the schema has the faults of any other. */
function declaredIn(canonical: unknown, shape: SessionShape): ValidAttachment['declared'] {
  const parameter = isObject(canonical) ? canonical[shape.parameter] : undefined;
  const { name, size, contentType, isInline, contentId } = isObject(parameter) ? parameter : {};
  return {
    name: typeof name === 'string' ? name : '',
    sizeBytes: typeof size === 'number' ? size : 0,
    ...(typeof contentType === 'string' && { contentType }),
    ...(typeof isInline === 'boolean' && { isInline }),
    ...(typeof contentId === 'string' && { contentId }),
  };
}
