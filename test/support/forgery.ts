import fc from 'fast-check';

/** Members of a body or a query that are to be taken for a part of the request's head. */
export interface Forgery {
  /** Members of a JSON body; empty: the body is as it should be. */
  readonly members: readonly (readonly [name: string, value: unknown])[];
  readonly query: readonly (readonly [name: string, value: string])[];
}

/** Words that the host, the worker or the library may have a use for (azure-webjobs-sdk-extensions: GetRequestBindingData). */
const NAMES = [
  ...['Headers', 'Query', 'Params', 'path', 'Method', 'Url', 'Host', 'Body', 'RawBody', 'req', 'request', '$request'],
  ...['sys', 'invocationId', 'traceContext', 'triggerMetadata', 'nullableHeaders', 'identities', 'user', 'http'],
  ...['authorization', 'content-type', 'client-request-id', 'x-ms-client-principal', 'x-forwarded-host', '__proto__'],
];

/** Which letters of a name are in upper case, a bit for each. */
const letterCase = fc.nat({ max: 2 ** 20 - 1 });

/** A name in any letter case; `headers` and `path` are the ones that the host itself gives a meaning. */
const forgedName = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('Headers', 'path') },
      { weight: 2, arbitrary: fc.constantFrom(...NAMES) },
      { weight: 1, arbitrary: fc.string({ minLength: 1, maxLength: 12 }) },
    ),
    letterCase,
  )
  .map(([name, bits]) => recase(name, bits));

function recase(name: string, bits: number): string {
  return [...name]
    .map((letter, at) => ((bits >> (at % 20)) % 2 === 1 ? letter.toUpperCase() : letter.toLowerCase()))
    .join('');
}

/** Headers that say something else than the real ones do, some of them such that no header may be. */
function forgedHeaders(values: Readonly<Record<string, string>>): fc.Arbitrary<Record<string, string>> {
  const fair = fc.subarray(Object.entries(values), { minLength: 1 });
  const unsendable = fc.constantFrom(
    [],
    [['a name', 'x']],
    [['x-line', 'a\r\nb: c']],
    [['x-umlaut', 'ä€']],
    [['', '']],
  );
  return fc
    .tuple(fair, unsendable, letterCase)
    .map(([pairs, others, bits]) =>
      Object.fromEntries([...pairs, ...others].map(([name = '', value]) => [recase(name, bits), value ?? ''])),
    );
}

/** The value as it is, as text, or inside something that looks like the host's own messages. */
function wrapped(value: unknown): fc.Arbitrary<unknown> {
  const text = JSON.stringify(value);
  return fc.constantFrom(value, text, { json: text }, { string: text }, { Headers: value }, { headers: { value } }, [
    value,
  ]);
}

/** @param headers what the forged head says @param path what the forged route says */
export function forgery(headers: Readonly<Record<string, string>>, path: string): fc.Arbitrary<Forgery> {
  const value = fc.oneof(
    { weight: 4, arbitrary: forgedHeaders(headers).chain(wrapped) },
    { weight: 2, arbitrary: fc.constantFrom(path, 'GET', 'forged.example', '', '0', 'null') },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
  const members = fc.array(fc.tuple(forgedName, value), { maxLength: 3 });
  const query = fc.array(
    fc.tuple(
      forgedName,
      value.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))),
    ),
    { maxLength: 3 },
  );
  return fc.record({ members, query });
}

/** The query of a forgery, with its question mark. */
export function toQuery({ query }: Forgery): string {
  const encode = (text: string) => encodeURIComponent(text.toWellFormed());
  return query.length === 0 ? '' : `?${query.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&')}`;
}

/** A JSON object with the members of a forgery after those that belong there. Members of one name stay two. */
export function toBody(members: Forgery['members'], sound: Readonly<Record<string, unknown>>): Buffer {
  const pairs = [...Object.entries(sound), ...members];
  return Buffer.from(`{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`);
}
