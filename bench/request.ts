/** What every request of the benchmark looks like. */
export interface RequestMaker {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  nextPath(): string;
}

export const MAILBOX_DOMAIN = 'bench.example';

/** As long as Exchange's own ids. */
const MESSAGE_ID = `AAMkAG${'bench'.repeat(23)}AAA=`;

let made = 0;

/** Requests go to the mailboxes in turn, so that four in one mailbox at a time (Graph's limit) is not what is measured. */
export function createRequestMaker(pathPrefix: string, mailboxes: number): RequestMaker {
  return {
    body: JSON.stringify({ AttachmentItem: { attachmentType: 'file', name: 'flower.pdf', size: 3_483_322 } }),
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      authorization: 'Bearer fixed-token', // The Graph called directly wants one; the apps send their own.
      'user-agent': 'bench',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    },
    nextPath() {
      made += 1;
      return `${pathPrefix}/v1.0/users/user${made % mailboxes}@${MAILBOX_DOMAIN}/messages/${MESSAGE_ID}/attachments/createUploadSession`;
    },
  };
}
