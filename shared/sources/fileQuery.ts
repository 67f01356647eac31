import type { ErrorDetail } from '../errors.ts';

const PARAMETERS = ['name', 'size', 'isInline', 'contentId', 'contentType'] as const;

type Parameter = (typeof PARAMETERS)[number];

/** The query's parameters for a file whose bytes are the body, decoded. Absent parameters are absent here, as is an empty contentType. */
export type FileQuery = { readonly [P in Parameter]?: string };

interface Pair {
  readonly written: string;
  /** Undefined without an equals sign. */
  readonly writtenValue: string | undefined;
}

/**
 * Reads the parameters of a file from the query as it was sent: URLSearchParams would replace what is not UTF-8. Names of
 * parameters match without regard to case, as Graph's do. Other parameters are ignored (gateways add their own), unless they look
 * like the rest of a file name whose `&` was not encoded.
 *
 * @param query with or without its question mark
 * @param details gets one entry per error
 */
export function readFileQuery(query: string, details: ErrorDetail[] = []): FileQuery {
  const values: { [P in Parameter]?: string } = {};
  for (const { written, writtenValue } of pairsOf(query)) {
    const key = decode(written);
    const parameter = PARAMETERS.find((name) => name.toLowerCase() === key?.toLowerCase());
    if (parameter === undefined) {
      if (values.name === undefined || (writtenValue !== undefined && isPlainWord(key))) continue;
      details.push(cutName(values.name, written));
      continue;
    }
    if (values[parameter] !== undefined) {
      const message = `'${parameter}' stands in the query more than once.`;
      details.push({ code: 'DuplicateMember', message, target: `?${parameter}` });
    }
    const value = decode(writtenValue ?? '');
    if (value === undefined) details.push(notUtf8(parameter, writtenValue ?? ''));
    values[parameter] = value ?? '';
  }
  const { contentType, ...others } = values;
  const type = mediaTypeOf(contentType ?? '');
  return { ...others, ...(type !== '' && { contentType: type }) };
}

/** Split as URLSearchParams splits: empty pairs are none, so a `&` at the end is harmless. */
function pairsOf(query: string): readonly Pair[] {
  const pairs = query.replace(/^\?/, '').split('&');
  return pairs
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      if (equals === -1) return { written: pair, writtenValue: undefined };
      return { written: pair.slice(0, equals), writtenValue: pair.slice(equals + 1) };
    });
}

/** As URLSearchParams decodes; undefined if the bytes are not UTF-8. A `%` without two hex digits stays as it is. */
function decode(written: string): string | undefined {
  try {
    return decodeURIComponent(written.replaceAll('+', ' ').replace(/%(?![0-9A-Fa-f]{2})/g, '%25'));
  } catch {
    return undefined;
  }
}

/** A media type has no space before its parameters; there it is a `+` that was not encoded (image/svg+xml). */
function mediaTypeOf(asked: string): string {
  const [essence = '', ...parameters] = asked.trim().split(';');
  return [essence.trim().replaceAll(' ', '+'), ...parameters].join(';');
}

/** For messages: bytes that are not UTF-8 become U+FFFD. */
function decodeLossy(written: string): string {
  return new URLSearchParams(`x=${written}`).get('x') ?? '';
}

/** What the names of parameters look like that services, gateways and clients add. */
function isPlainWord(key: string | undefined): boolean {
  return key !== undefined && /^[A-Za-z0-9_.$-]+$/.test(key);
}

function cutName(name: string, rest: string): ErrorDetail {
  const message = `The name was read as '${name}', up to a '&' in the query; '${decodeLossy(rest)}' after it is not a parameter. If it belongs to the name, encode & as %26 (and # as %23, + as %2B, % as %25).`;
  return { code: 'ValueNotAllowed', message, target: '?name' };
}

function notUtf8(parameter: Parameter, written: string): ErrorDetail {
  const message = `'${parameter}' is not UTF-8; it was read as '${decodeLossy(written)}'. Percent-encode its UTF-8 bytes: é is %C3%A9.`;
  return { code: 'ValueNotAllowed', message, target: `?${parameter}` };
}
