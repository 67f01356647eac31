import type { LogCategory, LogLevel } from './messages.ts';

/** A line of the host, of the worker's console, or of `context.log`. */
export interface HostLogLine {
  readonly level: LogLevel;
  readonly category: LogCategory | 'host' | 'stdout' | 'stderr';
  readonly message: string;
  readonly invocationId?: string;
}

export type HostLog = (line: HostLogLine) => void;

/**
 * Writes a line to the terminal as `func start` would: nothing below information, and what the worker says about itself
 * from warnings on. The app's own output goes on as it is.
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
