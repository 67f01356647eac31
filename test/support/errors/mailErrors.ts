import { ADELE } from '../../../local/emulators/graph/seed.ts';
import { isObject } from '../../../shared/common/isObject.ts';
import { postJson, startSite } from '../site.ts';
import type { Provocations } from './provocations.ts';

const MAILBOX = ADELE.userPrincipalName;
const MESSAGE = { subject: 'A mail', toRecipients: [{ emailAddress: { address: 'megan@contoso.example' } }] };

/** One request for each code that only the operations on mail can return. */
export async function startMailErrors(): Promise<Provocations> {
  const caller = {
    name: 'mailer',
    functionKey: true,
    kinds: ['message'],
    mailboxes: [MAILBOX],
    operations: ['sendMail'],
    recipients: ['*@contoso.example'],
  };
  const site = await startSite({ settings: { POLICY: JSON.stringify({ callers: [caller] }) } });
  const mailbox = `${site.api}/users/${MAILBOX}`;
  const sendDraft = (id: string) => fetch(`${mailbox}/messages/${encodeURIComponent(id)}/send`, { method: 'POST' });
  return {
    codes: {
      InvalidMessage: () => postJson(`${mailbox}/sendMail`, { message: { ...MESSAGE, toRecipients: [] } }),
      MessageNotYours: () => sendDraft(site.graph.addMessage(MAILBOX, MESSAGE)),
      async MessageNotDraft() {
        const draft: unknown = await (await postJson(`${mailbox}/messages`, MESSAGE)).json();
        const id = isObject(draft) ? String(draft['id']) : '';
        await sendDraft(id);
        return sendDraft(id);
      },
      async SendOutcomeUnknown() {
        site.graph.play({ error: 'status503AfterCommit', on: 'send' });
        return postJson(`${mailbox}/sendMail`, { message: MESSAGE, saveToSentItems: false });
      },
    },
    close: () => site.close(),
  };
}
