import { parseArgs } from 'node:util';

/** What is measured: everything, or a part of it. */
const PARTS = ['all', 'cold', 'bytes'] as const;

export interface BenchOptions {
  readonly part: (typeof PARTS)[number];
  readonly rounds: number;
  /** How long each load lasts; the one on a single connection half as long. */
  readonly seconds: number;
  /** Requests before the measured ones: as many for each app, so that each is compiled as far. */
  readonly warmUpRequests: number;
  /** Rounds of the measurements of how cost grows, and of those through a slow upload host. */
  readonly growthRounds: number;
  /** The app to profile in place of a benchmark. */
  readonly profile: string | undefined;
}

/** Throws on an unknown option or a number that is none. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      growthRounds: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      profile: { type: 'string' },
    },
  });
  const { quick } = values;
  const part = PARTS.find((name) => name === (positionals[0] ?? 'all'));
  if (part === undefined || positionals.length > 1) throw new RangeError(`The parts are: ${PARTS.join(', ')}.`);
  return {
    part,
    rounds: count(values.rounds, quick ? 1 : 7),
    seconds: count(values.seconds, quick ? 1 : 4),
    warmUpRequests: quick ? 2_000 : 10_000,
    growthRounds: count(values.growthRounds, quick ? 1 : 3),
    profile: values.profile,
  };
}

function count(text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (!Number.isInteger(value) || value < 1) throw new RangeError(`"${text}" is not a whole number from 1 on.`);
  return value;
}
