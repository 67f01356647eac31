import { type Command, isCommand, type Reply } from './messages.ts';

/**
 * The child's side of child.ts: replies to commands until the parent disconnects. If a command fails, the process ends with
 * the error on stderr.
 */
export function listenToParent(run: (command: Command) => Promise<Reply>): void {
  process.on('message', (message: unknown) => {
    if (isCommand(message)) void run(message).then(tellParent);
  });
  process.on('disconnect', () => process.exit());
  process.on('SIGINT', () => undefined); // The parent ends its children.
}

export function tellParent(reply: Reply): void {
  process.send?.(reply);
}
