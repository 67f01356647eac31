/** What every request of the benchmark looks like. */
export interface RequestMaker {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  nextPath(): string;
}

export const MAILBOX_DOMAIN = 'bench.example';
const MAILBOXES = 1_000;
/** As long as the ids of Exchange. */
const MESSAGE_ID = `AAMkAG${'bench'.repeat(23)}AAA=`;

let made = 0;

/** Each request goes to the next mailbox, so that Graph's limit of four concurrent requests per mailbox has no effect. */
export function createRequestMaker(pathPrefix: string): RequestMaker {
  return {
    body: JSON.stringify({ AttachmentItem: { attachmentType: 'file', name: 'flower.pdf', size: 3_483_322 } }),
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      'user-agent': 'bench',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    },
    nextPath() {
      made += 1;
      return `${pathPrefix}/v1.0/users/user${made % MAILBOXES}@${MAILBOX_DOMAIN}/messages/${MESSAGE_ID}/attachments/createUploadSession`;
    },
  };
}
