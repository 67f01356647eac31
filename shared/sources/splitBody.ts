import { setImmediate as nextTurn } from 'node:timers/promises';
import { MAX_DECODE_STEP_BYTES, MAX_REQUEST_BODY_BYTES } from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import type { DecodedBytes } from './base64Decoder.ts';
import { type ReadableBody, readPatiently } from './bodySource.ts';
import type { FileSplitter } from './fileSplitter.ts';
import type { JsonReservation } from './jsonMemory.ts';

/**
 * Reads a body of JSON through a splitter, and gives the file's bytes. They are decoded while they arrive and are in memory once;
 * other requests get their turn after every step of MAX_DECODE_STEP_BYTES.
 *
 * @param maxFileBytes the setting MAX_JSON_ATTACHMENT_BYTES
 * @param held counts the decoded bytes as they arrive; its owner releases them
 * @throws ServiceError RequestBodyTooLarge, RequestBodyTimeout, InstanceBusy, or what the body's own read throws
 */
export async function splitBody(
  body: ReadableBody,
  splitter: FileSplitter,
  maxFileBytes: number,
  held: JsonReservation,
  signal: AbortSignal,
): Promise<DecodedBytes> {
  const next = () => readPatiently(body, signal);
  let bodyBytes = 0;
  let stepBytes = 0;
  for (let chunk = await next(); chunk !== undefined; chunk = await next()) {
    for (let start = 0; start < chunk.length; start += MAX_DECODE_STEP_BYTES) {
      const step = chunk.subarray(start, start + MAX_DECODE_STEP_BYTES);
      splitter.push(step);
      bodyBytes += step.length;
      checkSize(splitter, bodyBytes, maxFileBytes);
      held.grow(splitter.content.sizeBytes);
      stepBytes += step.length;
      if (stepBytes < MAX_DECODE_STEP_BYTES) continue;
      stepBytes = 0;
      await nextTurn();
    }
  }
  const bytes = splitter.content.end();
  checkSize(splitter, bodyBytes, maxFileBytes);
  held.grow(bytes.sizeBytes);
  return bytes;
}

/** A body may be endless also where its file is not: base64 with every character escaped is eight times the file. */
function checkSize({ content }: FileSplitter, bodyBytes: number, maxFileBytes: number): void {
  const maxBodyBytes = maxFileBytes * 8 + MAX_REQUEST_BODY_BYTES;
  if (content.sizeBytes <= maxFileBytes && bodyBytes <= maxBodyBytes) return;
  const message = `A file in JSON may have at most ${maxFileBytes} bytes (MAX_JSON_ATTACHMENT_BYTES). Send a larger one as bytes (Content-Type: application/octet-stream), or by its sourceUrl.`;
  throw new ServiceError('RequestBodyTooLarge', message);
}
