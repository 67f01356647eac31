import { fork } from 'node:child_process';
import { join } from 'node:path';
import { type Command, isReply, type Reply } from './messages.ts';

export interface Child {
  /** Waits for the child's next message, which must be of this kind. */
  next<K extends Reply['kind']>(kind: K): Promise<Extract<Reply, { kind: K }>>;
  /** Sends a command and waits for its reply. */
  call<C extends Command>(command: C): Promise<Extract<Reply, { kind: C['kind'] }>>;
  end(): Promise<void>;
}

/** Starts a file of this folder as a process. `next` and `call` reject if the process ends. */
export function startChild(
  file: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Child {
  const child = fork(join(import.meta.dirname, file), args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));

  async function next<K extends Reply['kind']>(kind: K): Promise<Extract<Reply, { kind: K }>> {
    const message = await Promise.race([
      new Promise<unknown>((resolve) => child.once('message', (received: unknown) => resolve(received))),
      exited.then((code) => `exit code ${code}`),
    ]);
    if (!isReply(message, kind)) throw new Error(`${file}: expected "${kind}", got ${JSON.stringify(message)}`);
    return message;
  }

  return {
    next,
    call<C extends Command>(command: C) {
      const reply = next<C['kind']>(command.kind);
      child.send(command);
      return reply;
    },
    async end() {
      if (child.connected) child.disconnect();
      await exited;
    },
  };
}
