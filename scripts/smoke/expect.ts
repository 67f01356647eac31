import type { SmokeAnswer } from './client.ts';

/** The list of supported paths alone is longer than a terminal is wide, several times. */
const MAX_MESSAGE_LENGTH = 160;

/** A step's expectation was not met; the message says what was expected and what came. */
export class Unexpected extends Error {}

/** The step does not run; the message says why. */
export class Skipped extends Error {}

export function skip(why: string): never {
  throw new Skipped(why);
}

export function expectStatus(answer: SmokeAnswer, status: number, advice?: string): void {
  if (answer.status === status) return;
  throw new Unexpected([`expected ${status}, got ${describe(answer)}`, advice].filter(Boolean).join('; '));
}

/** Demands the status and an error in Graph's shape with this code. */
export function expectError(
  answer: SmokeAnswer,
  status: number,
  code: string,
  advice?: string,
): Record<string, unknown> {
  const error = member(answer.json, 'error');
  if (answer.status !== status || member(error, 'code') !== code) {
    throw new Unexpected([`expected ${status} ${code}, got ${describe(answer)}`, advice].filter(Boolean).join('; '));
  }
  const ids = member(error, 'innerError');
  for (const [value, what] of [
    [member(error, 'message'), 'error.message'],
    [member(ids, 'date'), 'error.innerError.date'],
    [member(ids, 'request-id'), 'error.innerError.request-id'],
    [member(ids, 'client-request-id'), 'error.innerError.client-request-id'],
  ] as const) {
    if (typeof value !== 'string' || value === '') throw new Unexpected(`expected the text ${what}, found none`);
  }
  return asObject(error);
}

export function expectThat(holds: boolean, expected: string): asserts holds {
  if (!holds) throw new Unexpected(`expected ${expected}`);
}

export function member(value: unknown, name: string): unknown {
  return asObject(value)[name];
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

/** Status and, where the body is an error, its code and message; nothing else of an answer, which may hold an uploadUrl. */
function describe({ status, json }: SmokeAnswer): string {
  const error = member(json, 'error');
  const [code, message] = [member(error, 'code'), member(error, 'message')];
  return typeof code === 'string'
    ? `${status} ${code} (${String(message).slice(0, MAX_MESSAGE_LENGTH)})`
    : `${status} without an error body`;
}
