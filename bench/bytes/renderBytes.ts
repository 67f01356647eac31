import { format, range, table } from '../markdown.ts';
import { median } from '../stats.ts';
import { AT_ONCE, type BytesResult, type BytesResults, type BytesSample, HOSTS, SENDINGS } from './measureBytes.ts';

type Figure = keyof BytesSample;

/** The part of the report on bytes, as Markdown. */
export function renderBytes({ speed, memory }: BytesResults): string[] {
  return [
    ...HOSTS.flatMap(({ name }) =>
      SENDINGS.flatMap((sending) => {
        const results = speed.filter((result) => result.host === name && result.sending === sending);
        return [
          `### ${sending.title}; upload host: ${name}`,
          table([['', 'MB/s', 'CPU of the app, ms per MB', 'first byte upstream, ms'], ...results.map(row)]),
        ];
      }),
    ),
    '### Peak memory of the app, MB, with so many files at once',
    table([
      ['', ...AT_ONCE.map(String)],
      ...memory.map(({ sending, carrier, peakMb }) => [
        `${carrier}, ${sending.title}`,
        ...AT_ONCE.map((files) => format(peakMb.get(files) ?? Number.NaN, 0)),
      ]),
    ]),
  ];
}

function row(result: BytesResult): string[] {
  const cell = (figure: Figure, digits: number) => range(valuesOf(result, figure), digits);
  const isSlow = median(valuesOf(result, 'mbPerSecond')) < 100;
  return [result.carrier, cell('mbPerSecond', isSlow ? 1 : 0), cell('cpuMsPerMb', 2), cell('firstByteMs', 1)];
}

export function medianOfBytes(
  { speed }: BytesResults,
  host: string,
  sending: string,
  carrier: string,
  figure: Figure,
): number {
  const found = speed.find(
    (result) => result.host === host && result.sending.title === sending && result.carrier === carrier,
  );
  return found === undefined ? Number.NaN : median(valuesOf(found, figure));
}

function valuesOf({ samples }: BytesResult, figure: Figure): number[] {
  return samples.flatMap((sample) => sample[figure] ?? []);
}
