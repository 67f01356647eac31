import { HELLO, PLAIN_BUILD, PLAIN_FORWARD, PRODUCT } from './apps.ts';
import type { Cost } from './growth.ts';
import type { Figure } from './measure.ts';
import { medianOf, type Results } from './results.ts';

export interface Target {
  readonly text: string;
  readonly value: number;
  readonly limit: number;
  readonly isReached: boolean;
}

/** What the product is to show, judged by the medians of this run. */
export function judge({ subjects, growth }: Results): Target[] {
  const median = (name: string, figure: Figure) => {
    const subject = subjects.find((one) => one.name === name);
    return subject === undefined ? Number.NaN : medianOf(subject, figure);
  };
  const ratio = (figure: Figure, { name }: { name: string }) => median(PRODUCT.name, figure) / median(name, figure);
  const packageMb = (subjects[0]?.packageBytes ?? Number.NaN) / 1_000_000;
  return [
    atMost('load, as a multiple of hello-world', ratio('loadMs', HELLO), 1.3),
    atMost('first response, as a multiple of the plain build', ratio('firstResponseMs', PLAIN_BUILD), 0.8),
    atLeast('requests/s, as a multiple of hello-world', ratio('requestsPerSecond', HELLO), 0.65),
    atLeast('requests/s, as a multiple of the plain forward', ratio('requestsPerSecond', PLAIN_FORWARD), 1),
    atLeast('requests/s, as a multiple of the plain build', ratio('requestsPerSecond', PLAIN_BUILD), 2),
    atMost('CPU per request, as a multiple of the plain build', ratio('cpuMs', PLAIN_BUILD), 0.45),
    atMost('p50 at 1 connection, as a multiple of the plain forward', ratio('p50OneMs', PLAIN_FORWARD), 1.15),
    atMost('CPU per request with 1,000 policy entries, as a multiple of that with 1', cpuGrowth(growth.policy), 1.1),
    atMost('CPU per request with 10,000 mailboxes, as a multiple of that with 10', cpuGrowth(growth.mailboxes), 1.1),
    atMost('package, MB zipped', packageMb, 1.5),
  ];
}

function cpuGrowth([few, many]: readonly Cost[]): number {
  return (many?.cpuMs ?? Number.NaN) / (few?.cpuMs ?? Number.NaN);
}

function atMost(text: string, value: number, limit: number): Target {
  return { text: `${text}: at most ${limit}`, value, limit, isReached: value <= limit };
}

function atLeast(text: string, value: number, limit: number): Target {
  return { text: `${text}: at least ${limit}`, value, limit, isReached: value >= limit };
}
