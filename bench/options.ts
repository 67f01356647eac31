import { parseArgs } from 'node:util';

export const USAGE = `Usage: npm run bench [-- --quick]

Measures the built app and its peers, and writes the table to bench/results.md. Takes about 10 minutes.

  --quick   measures each row once, in under 90 seconds, and prints the table only
  --help    prints this text`;

/** How often and how long to measure. */
export interface Extent {
  readonly isQuick: boolean;
  readonly rounds: number;
  /** Duration of each load. */
  readonly seconds: number;
  /** Requests before each load: the same number for each app, so that V8 has optimized all of them alike. */
  readonly warmUpRequests: number;
  /** Rounds of the measurements with files, which take much longer and vary less. */
  readonly fileRounds: number;
  /** Size of a file of the rows of time, and of the rows of memory. */
  readonly timedFileMib: number;
  readonly memoryFileMib: number;
}

const FULL: Extent = {
  isQuick: false,
  rounds: 5,
  seconds: 4,
  warmUpRequests: 10_000,
  fileRounds: 3,
  timedFileMib: 60,
  memoryFileMib: 150,
};

const QUICK: Extent = {
  isQuick: true,
  rounds: 1,
  seconds: 1,
  warmUpRequests: 500,
  fileRounds: 1,
  timedFileMib: 15,
  memoryFileMib: 15,
};

/** Returns "help" if the usage is asked for. Throws if an option is unknown. */
export function readOptions(args: readonly string[]): Extent | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: { quick: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) return 'help';
  return values.quick === true ? QUICK : FULL;
}
