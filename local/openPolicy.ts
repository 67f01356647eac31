import { POLICY_OPERATIONS } from '../shared/routes.ts';
import { ADELE } from './emulators/graph/seed.ts';

/** The policy of `npm start`: everything is allowed to everyone. @param sources URL prefixes of files */
export function openPolicy(sources: readonly string[] = []): string {
  const caller = {
    name: 'Everyone',
    functionKey: true,
    mailboxes: ['*'],
    groups: ['*'],
    me: ADELE.userPrincipalName,
    kinds: ['message', 'event', 'todoTask', 'outlookTask', 'post'],
    operations: POLICY_OPERATIONS,
    recipients: ['*'],
    sources,
  };
  return JSON.stringify({ callers: [caller] });
}
