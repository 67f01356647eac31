import { distance } from 'fastest-levenshtein';
import { MAX_SUGGESTION_DISTANCE } from './limits.ts';

/** Longer than every name that is suggested. */
const MAX_NAME_LENGTH = 64;

/** How many edits turn one name into the other, in any letter case. `written` comes from a caller and may be of any length. */
export function editsBetween(written: string, known: string): number {
  return distance(written.slice(0, MAX_NAME_LENGTH).toLowerCase(), known.toLowerCase());
}

/** Whether `written` is probably a misspelt `known`. At most half the letters may differ: nobody meant `id` who wrote `foo`. */
export function isNear(written: string, known: string): boolean {
  return editsBetween(written, known) <= Math.min(MAX_SUGGESTION_DISTANCE, known.length / 2);
}
