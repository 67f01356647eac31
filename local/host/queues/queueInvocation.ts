import type { DequeuedMessageItem } from '@azure/storage-queue';
import { addMembers, type BindingData, CaseInsensitiveMap, toMetadata } from '../bindingData.ts';
import { createCall } from '../invocationRequest.ts';
import type { InvocationRequest } from '../messages.ts';
import type { QueueFunction } from './queueFunctions.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Undefined: it is not base64. */
export function decodeMessage(text: string, encoding: 'base64' | 'none'): Buffer | undefined {
  if (encoding === 'none') return Buffer.from(text);
  const trimmed = text.replace(/\s/g, '');
  const isBase64 = trimmed.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(trimmed);
  return isBase64 ? Buffer.from(trimmed, 'base64') : undefined;
}

/**
 * A call for a message. The text is sent unchanged: the library parses it if it is JSON. Its members override the
 * trigger's data of the message, for example `Id` and `DequeueCount`.
 * (azure-sdk-for-net: QueueTriggerBinding; Azure Functions host: WorkerFunctionInvoker, ToRpcInvocationRequest)
 *
 * @throws TypeError if the bytes are not UTF-8
 */
export function createQueueInvocation(
  called: QueueFunction,
  message: DequeuedMessageItem,
  body: Buffer,
): InvocationRequest {
  const text = utf8.decode(body);
  const data: BindingData = new CaseInsensitiveMap();
  data.set('QueueTrigger', { string: text });
  data.set('DequeueCount', { json: String(message.dequeueCount) });
  data.set('ExpirationTime', { json: toJson(message.expiresOn) });
  data.set('Id', { string: message.messageId });
  data.set('InsertionTime', { json: toJson(message.insertedOn) });
  data.set('NextVisibleTime', { json: toJson(message.nextVisibleOn) });
  data.set('PopReceipt', { string: message.popReceipt });
  addMembers(data, text);
  return {
    ...createCall(called.id),
    inputData: [{ name: called.triggerName, data: { string: text } }],
    triggerMetadata: toMetadata(data),
  };
}

/** As .NET writes a DateTimeOffset. */
function toJson(time: Date): string {
  return JSON.stringify(time.toISOString().replace(/\.\d+Z$/, '+00:00'));
}
