import { type ErrorDetail, ServiceError } from '../errors.ts';

/** Names of members in the body may be long. */
const MAX_TEXT_LENGTH = 500;

/** One error per place, the first that was found. The message names places, never what the mail says. */
export function invalidMessage(found: readonly ErrorDetail[], unlisted = 0): ServiceError {
  const unique = [...new Map(found.toReversed().map((detail) => [detail.target, detail])).values()].toReversed();
  const details = unique.map(({ code, message, target }) => {
    return { code, message: message.slice(0, MAX_TEXT_LENGTH), target: target.slice(0, MAX_TEXT_LENGTH) };
  });
  const [first] = details;
  const others = details.length - 1 + unlisted;
  const more = others > 0 ? ` (and ${others} more, see details)` : '';
  const message = `The body does not describe a message: ${first?.message ?? ''}${more}`;
  return new ServiceError('InvalidMessage', message, { details, ...(first && { target: first.target }) });
}
