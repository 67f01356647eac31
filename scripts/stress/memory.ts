import { residentMebibytes } from '../../test/support/residentMemory.ts';

export interface MemoryReport {
  /** Resident memory in MiB when the warm-up was over, and at the end. */
  readonly afterWarmUp: number;
  readonly atEnd: number;
  /** Of the line of best fit through the samples after the warm-up, in MiB per minute. */
  readonly slopePerMinute: number;
}

interface Sample {
  readonly seconds: number;
  readonly mebibytes: number;
}

const INTERVAL_MS = 1000;

/** Watches a process's resident memory from outside, once a second. */
export function watchMemory(pid: number): { end(warmUpSeconds: number): MemoryReport } {
  const startedAt = performance.now();
  const samples: Sample[] = [];
  const timer = setInterval(() => {
    void residentMebibytes(pid).then((mebibytes) => {
      samples.push({ seconds: (performance.now() - startedAt) / 1000, mebibytes });
    });
  }, INTERVAL_MS);
  return {
    end(warmUpSeconds) {
      clearInterval(timer);
      const warm = samples.filter(({ seconds }) => seconds >= warmUpSeconds);
      return {
        afterWarmUp: warm[0]?.mebibytes ?? Number.NaN,
        atEnd: warm.at(-1)?.mebibytes ?? Number.NaN,
        slopePerMinute: slope(warm) * 60,
      };
    },
  };
}

/** Least squares, in MiB per second. */
function slope(samples: readonly Sample[]): number {
  const mean = (pick: (sample: Sample) => number) => samples.reduce((sum, one) => sum + pick(one), 0) / samples.length;
  const seconds = mean((sample) => sample.seconds);
  const mebibytes = mean((sample) => sample.mebibytes);
  const covariance = mean((sample) => (sample.seconds - seconds) * (sample.mebibytes - mebibytes));
  return covariance / mean((sample) => (sample.seconds - seconds) ** 2);
}
