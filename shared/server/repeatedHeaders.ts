import { ServiceError } from '../errors.ts';

/**
 * The meaning of a header that came more than once:
 * - `one`: equal values are one; different ones are an error.
 * - `list`: the values belong together, each once.
 * - `joined`: the app gets what came, each value as often as it came.
 * - `ignored`: equal values are one; different ones count as not sent. For ids that help, but that no request needs.
 */
interface Repetition {
  readonly kind: 'one' | 'list' | 'joined' | 'ignored';
  /** As the header is written in an error. */
  readonly name?: string;
  /** The start of a further value behind a comma. Absent: every comma separates two values. */
  readonly next?: RegExp;
  /** Letter case and spaces make no difference. */
  readonly isFolded?: true;
}

/** Every header that the app reads, in lower case. A test compares this table with the source. */
const REPETITIONS: Readonly<Record<string, Repetition>> = {
  'content-type': {
    kind: 'one',
    name: 'Content-Type',
    next: /^\s*(?:[\w!#$&^.+-]+\/[\w!#$&^.+*-]+\s*)?(?:[;,]|$)/,
    isFolded: true,
  },
  'content-length': { kind: 'one', name: 'Content-Length' },
  'content-range': { kind: 'one', name: 'Content-Range' },
  // A name without quotes may hold a comma.
  'content-disposition': {
    kind: 'one',
    name: 'Content-Disposition',
    next: /^\s*(?:attachment|inline|form-data)\s*(?:[;,]|$)/i,
  },
  // A key may hold a comma, but no space; the host writes both between two values.
  'idempotency-key': { kind: 'one', name: 'Idempotency-Key', next: /^\s/ },
  'x-ms-transfer-mode': { kind: 'one', name: 'x-ms-transfer-mode', isFolded: true },
  'x-ms-content-length': { kind: 'one', name: 'x-ms-content-length' },
  // No token is taken from a header that came twice, not even the same one: RFC 6750, section 2, wants one.
  authorization: { kind: 'joined' },
  // Any other coding than identity is refused.
  'content-encoding': { kind: 'list', isFolded: true },
  prefer: { kind: 'list' },
  'client-request-id': { kind: 'ignored' },
  traceparent: { kind: 'ignored' },
  'x-ms-workflow-run-id': { kind: 'ignored' },
  'x-ms-action-tracking-id': { kind: 'ignored' },
  // Two origins joined are none that is allowed.
  origin: { kind: 'joined' },
  'access-control-request-method': { kind: 'joined' },
  'access-control-request-headers': { kind: 'joined' },
  // The host writes its own.
  'x-forwarded-host': { kind: 'joined' },
  'x-forwarded-proto': { kind: 'joined' },
};

export const READ_HEADERS = Object.keys(REPETITIONS);

/**
 * The value of a header from all its values, which the host and callers may have joined by commas.
 *
 * @param name in lower case
 * @returns null if the header counts as not sent
 * @throws ServiceError InvalidRequest
 */
export function joinRepeated(name: string, values: readonly string[]): string | null {
  const text = values.join(', ');
  const repetition = Object.hasOwn(REPETITIONS, name) ? REPETITIONS[name] : undefined;
  if (repetition === undefined || repetition.kind === 'joined' || !text.includes(',')) return text;
  const { kind, isFolded } = repetition;
  const distinct = new Map(
    split(text, repetition.next).map((value) => [isFolded ? value.toLowerCase().replace(/\s/g, '') : value, value]),
  );
  if (distinct.size <= 1 || kind === 'list') return [...distinct.values()].join(', ');
  if (kind === 'ignored') return null;
  const target = repetition.name ?? name;
  throw new ServiceError('InvalidRequest', `${target} came more than once with different values; send one.`, {
    target,
  });
}

/** Splits at the commas outside of quotes that a further value follows; leaves out empty values. */
function split(text: string, next: RegExp | undefined): string[] {
  const values: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (isQuoted && character === '\\') at++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === ',' && !isQuoted && (next === undefined || next.test(text.slice(at + 1)))) {
      values.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  values.push(text.slice(start).trim());
  return values.filter((value) => value !== '');
}
