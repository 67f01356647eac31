import type { LogCategory, LogLevel, WorkerLog } from './messages.ts';

/** A line of the host, of the worker's console, or of `context.log`. */
export interface HostLogLine extends Omit<WorkerLog, 'category'> {
  readonly category: LogCategory | 'host' | 'stdout' | 'stderr';
}

export type HostLog = (line: HostLogLine) => void;

/**
 * Writes a line to the terminal as `func start` does: nothing below information, the worker's system lines from warnings on,
 * and the app's own output unchanged.
 */
export function printLogLine({ level, category, message }: HostLogLine): void {
  if (category === 'stderr') {
    console.error(message);
  } else if (category === 'stdout') {
    console.log(message);
  } else if (!HIDDEN_LEVELS.has(level) && !(category === 'system' && level === 'information')) {
    console.log(`[${level}] ${message}`);
  }
}

const HIDDEN_LEVELS: ReadonlySet<LogLevel> = new Set(['trace', 'debug', 'none']);
