import { type ErrorDetail, ServiceError } from '../errors.ts';
import type { ResolvedOwner } from '../paths/target.ts';
import type { Caller } from './caller.ts';
import { ruleOf } from './evaluatePolicy.ts';
import { admittedBy, foldCase, type Policy } from './policy.ts';
import { foldAddress, refusedRecipients } from './recipients.ts';

/** An address, with its place as a JSON pointer into the message. */
export interface PlacedAddress {
  readonly address: string;
  readonly pointer: string;
}

/**
 * Asks the policy for the recipients of a message. No message of an error repeats an address: it goes to the log.
 *
 * @throws ServiceError InvalidMessage for what is not one plain address, CallerNotAllowed
 */
export function authorizeRecipients(policy: Policy, caller: Caller, recipients: readonly PlacedAddress[]): void {
  const rules = ruleOf(policy, caller);
  if (rules === undefined) throw new ServiceError('CallerNotAllowed', 'This caller may not send mail.');
  const refusals = refusedRecipients(
    rules,
    recipients.map(({ address }) => address),
  );
  const at = (index: number) => recipients[index]?.pointer ?? '';
  const malformed = refusals.flatMap((refusal): ErrorDetail[] =>
    refusal.kind === 'notPlain'
      ? [{ code: 'ValueNotAllowed', message: 'This is not one plain address.', target: at(refusal.index) }]
      : [],
  );
  if (malformed.length > 0) {
    const message = 'A recipient is not one plain address, such as adele@contoso.com.';
    throw new ServiceError('InvalidMessage', message, { details: malformed, target: malformed[0]?.target ?? '' });
  }
  const denied = refusals.flatMap((refusal): ErrorDetail[] => {
    if (refusal.kind === 'tooMany') {
      const message = `This caller may send to at most ${refusal.max} recipients; the message has ${refusal.count}.`;
      return [{ code: 'ValueNotAllowed', message, target: '/toRecipients' }];
    }
    if (refusal.kind === 'notPlain') return [];
    const message = 'The policy does not allow this recipient.';
    return [{ code: 'ValueNotAllowed', message, target: at(refusal.index) }];
  });
  const [first] = denied;
  if (first === undefined) return;
  throw new ServiceError('CallerNotAllowed', `This caller may not send this message: ${first.message}`, {
    details: denied,
    target: first.target,
    cause: 'denied: recipients',
  });
}

/**
 * `from` and `sender` name the mailbox of the path: by the path's own name, or by another name that the policy allows.
 *
 * @throws ServiceError CallerNotAllowed
 */
export function authorizeSenders(
  policy: Policy,
  caller: Caller,
  owner: ResolvedOwner,
  senders: readonly PlacedAddress[],
): void {
  const mailboxes = ruleOf(policy, caller)?.mailboxes;
  for (const { address, pointer } of senders) {
    const folded = foldAddress(address);
    const isOwn = folded !== undefined && folded === foldCase(owner.id);
    const isAllowed = folded !== undefined && mailboxes !== undefined && admittedBy(mailboxes, folded) !== undefined;
    if (isOwn || isAllowed) continue;
    const message =
      'This caller may not send as this address. Leave from and sender out, or name the mailbox of the path.';
    throw new ServiceError('CallerNotAllowed', message, { target: pointer, cause: 'denied: sender' });
  }
}
