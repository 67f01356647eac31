import { isObject } from '../common/isObject.ts';
import { type AddressAt, addressAt, addressesIn } from './readMessage.ts';

/** What `$select` must have for the functions of this file. */
export const RECIPIENT_MEMBERS = ['toRecipients', 'ccRecipients', 'bccRecipients', 'from', 'sender'] as const;

/**
 * To, Cc and Bcc of a message as Graph returned it; undefined if a list is missing or has a member without an address, because
 * then the policy cannot be checked.
 */
export function recipientsOf(message: unknown): readonly AddressAt[] | undefined {
  if (!isObject(message)) return undefined;
  const lists = ['toRecipients', 'ccRecipients', 'bccRecipients'].map((name) => {
    const list = message[name];
    const addresses = addressesIn(list, `/${name}`);
    return Array.isArray(list) && addresses.length === list.length ? addresses : undefined;
  });
  return lists.includes(undefined) ? undefined : lists.flatMap((addresses) => addresses ?? []);
}

/** `from` and `sender` of a message as Graph returned it; absent or null in a draft until Exchange sets them. */
export function sendersOf(message: unknown): readonly AddressAt[] | undefined {
  if (!isObject(message)) return undefined;
  const senders = ['from', 'sender'].map((name) => {
    const addresses = addressAt(message[name], `/${name}`);
    return message[name] === undefined || message[name] === null || addresses.length === 1 ? addresses : undefined;
  });
  return senders.includes(undefined) ? undefined : senders.flatMap((addresses) => addresses ?? []);
}
