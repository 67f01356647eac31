// The requests of the load generator.

export const MAILBOX_DOMAIN = 'bench.example';
const MAILBOXES = 1_000;
/** As long as the ids of Exchange. */
const MESSAGE_ID = `AAMkAG${'bench'.repeat(23)}AAA=`;

export const SESSION_BODY = sessionBody(3_483_322);
export const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json',
  'user-agent': 'bench',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};

let made = 0;

/** Each request goes to the next mailbox, so that Graph's limit of four concurrent requests per mailbox has no effect. */
export function nextMessagePath(): string {
  made += 1;
  return `/v1.0/users/user${made % MAILBOXES}@${MAILBOX_DOMAIN}/messages/${MESSAGE_ID}`;
}

export function sessionBody(size: number): string {
  return JSON.stringify({ AttachmentItem: { attachmentType: 'file', name: 'bench.bin', size } });
}
