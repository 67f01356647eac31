/**
 * How the emulator behaves where Microsoft's documents are silent or contradict each other. Nothing here was checked on a live
 * tenant. May be changed while the emulator runs.
 */
export interface MailSettings {
  /** unsettled: one page says that an immutable id is the same after send, another names sending as the exception. */
  immutableIdSurvivesSend: boolean;
  /** unsettled: how long `isDraft` stays true after the 202. Number of reads, and milliseconds of the emulator's clock. */
  draftLagReads: number;
  draftLagMs: number;
  /** unsettled: how long a list does not show the sent message. Number of lists, and milliseconds. */
  sentItemsLagReads: number;
  sentItemsLagMs: number;
  /** unsettled: whether a second /send, while `isDraft` is still true, delivers the mail again. If not: 404. */
  secondSendDelivers: boolean;
  /** unsettled: whether a DELETE while `isDraft` is still true prevents the delivery. */
  earlyDeleteLosesMail: boolean;
  /** unsettled: whether Graph keeps the caller's internetMessageId. If not, the 201 has the new one. */
  keepsInternetMessageId: boolean;
  /** unsettled: whether the property `Boolean 0x0E01` (PidTagDeleteAfterSubmit) removes the message after it is sent. */
  deletesAfterSubmit: boolean;
  /** unsettled: a larger MIME body in sendMail returned 200 in 2021, and no mail was sent. In characters of base64. */
  maxMimeCharacters: number;
  /** unsettled: the code for too many recipients. */
  tooManyRecipientsCode: string;
  /** unsettled: sendMail with a message that has no wrapper, as one sample of the documents sends it. */
  acceptsBareMessage: boolean;
}

export const UNSETTLED: Readonly<MailSettings> = {
  immutableIdSurvivesSend: true,
  draftLagReads: 0,
  draftLagMs: 0,
  sentItemsLagReads: 0,
  sentItemsLagMs: 0,
  secondSendDelivers: true,
  earlyDeleteLosesMail: true,
  keepsInternetMessageId: true,
  deletesAfterSubmit: true,
  maxMimeCharacters: 2_240_000,
  tooManyRecipientsCode: 'ErrorInvalidRecipients',
  acceptsBareMessage: false,
};

// Other choices without a setting, all unsettled:
// - A path may name a message by its ordinary or its immutable id, whether or not the request asks for immutable ids.
// - Members of a message must have Graph's letter case. An unknown member is refused, although the type is open.
// - Of a member that comes twice, the last one counts.
// - /send returns 404 ErrorItemNotFound for a message that is no draft, and 400 ErrorInvalidRecipients for an invalid address.
// - A message from another mailbox is refused at send with 403 ErrorSendAsDenied, never at creation.
// - A list shows a new draft at once, by its marker too.
