import { median } from './stats.ts';

/** One line of the table: the values of all rounds of the product and of one peer, or of the product at rest. */
export interface Row {
  readonly title: string;
  readonly unit: string;
  readonly digits: number;
  readonly product: readonly number[];
  readonly peer: string;
  readonly peerValues: readonly number[];
  readonly comparison: 'ratio' | 'difference';
  readonly target: Target | undefined;
}

export interface Target {
  readonly kind: 'atMost' | 'atLeast';
  readonly value: number;
}

export function atMost(value: number): Target {
  return { kind: 'atMost', value };
}

export function atLeast(value: number): Target {
  return { kind: 'atLeast', value };
}

/** The median of the product compared to that of the peer. */
export function compare({ product, peerValues, comparison }: Row): number {
  return comparison === 'ratio' ? median(product) / median(peerValues) : median(product) - median(peerValues);
}

/** Undefined if the row has no target. */
export function isMet(row: Row): boolean | undefined {
  if (row.target === undefined) return undefined;
  const { kind, value } = row.target;
  return kind === 'atMost' ? compare(row) <= value : compare(row) >= value;
}
