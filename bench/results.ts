import type { BytesResults } from './bytes/measureBytes.ts';
import type { Growth } from './growth.ts';
import type { Figure, Sample } from './measure.ts';
import { median } from './stats.ts';

/** All rounds of one subject. */
export interface Subject {
  readonly name: string;
  readonly samples: Sample[];
  /** Zipped; absent where there is no package. */
  readonly packageBytes?: number;
}

export interface Results {
  /** The product comes first. */
  readonly subjects: readonly Subject[];
  readonly growth: Growth;
  readonly bytes: BytesResults;
}

/** The values of all rounds; empty where the figure does not apply. */
export function valuesOf({ samples }: Subject, figure: Figure): number[] {
  return samples.flatMap((sample) => sample[figure] ?? []);
}

export function medianOf(subject: Subject, figure: Figure): number {
  return median(valuesOf(subject, figure));
}
