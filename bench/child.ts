import { fork } from 'node:child_process';
import { join } from 'node:path';
import { type Answer, type Ask, isAnswer } from './messages.ts';

type Question = Exclude<Ask, { kind: 'end' }>;

export interface Child {
  /** Waits for the child's next message, which must be of this kind. */
  next<K extends Answer['kind']>(kind: K): Promise<Extract<Answer, { kind: K }>>;
  /** Sends a question and waits for the answer of the same kind. */
  ask<Q extends Question>(question: Q): Promise<Extract<Answer, { kind: Q['kind'] }>>;
  /** Lets the process end by itself and waits for it. */
  end(): Promise<void>;
}

/** Starts a file of bench/ as a process of its own. Its `next` and `ask` reject when the process ends early. */
export function startChild(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  execArgv: readonly string[] = [],
): Child {
  const child = fork(join(import.meta.dirname, file), args, {
    env: { ...process.env, ...env },
    execArgv: [...execArgv],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));

  async function next<K extends Answer['kind']>(kind: K): Promise<Extract<Answer, { kind: K }>> {
    const ended = exited.then((code) => `${file} ended with exit code ${code}`);
    const message = await Promise.race([
      new Promise<unknown>((resolve) => child.once('message', (received: unknown) => resolve(received))),
      ended,
    ]);
    if (!isAnswer(message, kind)) throw new Error(`${file}: waited for "${kind}", got ${JSON.stringify(message)}`);
    return message;
  }

  return {
    next,
    ask<Q extends Question>(question: Q) {
      const answer = next<Q['kind']>(question.kind);
      child.send(question);
      return answer;
    },
    async end() {
      if (child.connected) child.send({ kind: 'end' } satisfies Ask);
      await exited;
    },
  };
}
