import { type Answer, type Ask, isAsk } from './messages.ts';

/** The child's side of child.ts: answers the parent's questions, and ends when asked to or when the parent is gone. */
export function listenToParent(answer: (question: Exclude<Ask, { kind: 'end' }>) => Promise<Answer>): void {
  process.on('message', (message: unknown) => {
    if (!isAsk(message)) return;
    if (message.kind === 'end') process.exit();
    void answer(message).then(tellParent);
  });
  process.on('disconnect', () => process.exit());
  process.on('SIGINT', () => undefined); // The parent ends its children.
}

export function tellParent(message: Answer): void {
  process.send?.(message);
}
