import { HELLO, PIPE, PLAIN_BUILD, PLAIN_FORWARD, PRODUCT } from './apps.ts';
import { type BytesResults, type BytesSample, HOSTS, SENDINGS, STRAIGHT } from './bytes/measureBytes.ts';
import { medianOfBytes } from './bytes/renderBytes.ts';
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
export function judge({ subjects, growth, bytes }: Results): Target[] {
  const median = (name: string, figure: Figure) => {
    const subject = subjects.find((one) => one.name === name);
    return subject === undefined ? Number.NaN : medianOf(subject, figure);
  };
  const ratio = (figure: Figure, { name }: { name: string }) => median(PRODUCT.name, figure) / median(name, figure);
  const packageMb = (subjects[0]?.packageBytes ?? Number.NaN) / 1_000_000;
  return [
    atMost('load, as a multiple of hello-world', ratio('loadMs', HELLO), 1.2),
    atMost('load + first, as a multiple of the plain forward', ratio('firstResponseMs', PLAIN_FORWARD), 1.35),
    atMost('load + first, as a multiple of the plain build', ratio('firstResponseMs', PLAIN_BUILD), 0.8),
    atLeast('requests/s, as a multiple of hello-world', ratio('requestsPerSecond', HELLO), 0.74),
    atLeast('requests/s, as a multiple of the plain forward', ratio('requestsPerSecond', PLAIN_FORWARD), 1.05),
    atLeast('requests/s, as a multiple of the plain build', ratio('requestsPerSecond', PLAIN_BUILD), 2),
    atMost('CPU per request, as a multiple of the plain build', ratio('cpuMs', PLAIN_BUILD), 0.45),
    atMost('p50 at 1 connection, as a multiple of the plain forward', ratio('p50OneMs', PLAIN_FORWARD), 1.1),
    atMost('CPU per request with 1,000 policy entries, as a multiple of that with 1', cpuGrowth(growth.policy), 1.1),
    atMost('CPU per request with 10,000 mailboxes, as a multiple of that with 10', cpuGrowth(growth.mailboxes), 1.1),
    atMost('package, MB zipped', packageMb, 1.5),
    ...judgeBytes(bytes),
  ];
}

function judgeBytes(bytes: BytesResults): Target[] {
  const [near, far] = HOSTS;
  const ratio = (host: string, sending: string, peer: string, figure: keyof BytesSample) =>
    medianOfBytes(bytes, host, sending, PRODUCT.name, figure) / medianOfBytes(bytes, host, sending, peer, figure);
  const growth = ({ peakMb }: BytesResults['memory'][number]) =>
    (peakMb.get(32) ?? Number.NaN) - (peakMb.get(1) ?? Number.NaN);
  const speed = SENDINGS.flatMap(({ title }) => [
    atLeast(`${title}: MB/s, as a multiple of the plain pipe`, ratio(near.name, title, PIPE.name, 'mbPerSecond'), 0.9),
    atMost(
      `${title}: CPU per MB, as a multiple of the plain pipe`,
      ratio(near.name, title, PIPE.name, 'cpuMsPerMb'),
      1.2,
    ),
    atMost(
      `${title}: time with 300 ms a piece, as a multiple of straight ranged PUTs`,
      1 / ratio(far.name, title, STRAIGHT, 'mbPerSecond'),
      1.1,
    ),
  ]);
  // 8 MiB for each file and 64 MiB, as the tests of memory demand it of the resident set.
  const memory = bytes.memory
    .filter(({ carrier }) => carrier === PRODUCT.name)
    .map((result) => atMost(`${result.sending.title}: MB more with 32 at once than with one`, growth(result), 335));
  return [...speed, ...memory];
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
