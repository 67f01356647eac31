import { setTimeout as delay } from 'node:timers/promises';

const PAUSE_MS = 10;
/** Far longer than any machine takes: it ends a wait for what never comes, before jest ends the test without a word. */
const HANG_MS = 120_000;

/**
 * Looks again and again until `look` finds something, and gives it back. Undefined and false are nothing.
 *
 * @throws Error which names `what`, if it never comes
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  pauseMs = PAUSE_MS,
): Promise<T> {
  const end = performance.now() + HANG_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`This never came: ${what}`);
    await delay(pauseMs);
  }
}
