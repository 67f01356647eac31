import { spawnSync } from 'node:child_process';

/** Whether the command is at hand and what it prints fits. */
export function hasCommand(command: string, argument: string, prints: RegExp): boolean {
  const { stdout } = spawnSync(command, [argument], { encoding: 'utf8' });
  return prints.test(stdout ?? '');
}
