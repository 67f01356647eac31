import { climbs, isIpLiteral } from './sourceUrl.ts';

/** One address pattern of a policy's `sources`, taken apart. Only compileSources makes one. */
export interface SourceRule {
  /** As the URL parser writes it; without the `*.` of a wildcard. */
  readonly host: string;
  readonly isHostExact: boolean;
  readonly port: string;
  /** The pattern writes a port, 443 included. */
  readonly isPortNamed: boolean;
  readonly path: string;
  /** Where the pattern stands, as a JSON pointer into the policy. */
  readonly place: string;
}

/** The rules of one caller, those that name their host most exactly first. */
export type SourceRules = readonly SourceRule[];

export const NO_SOURCES: SourceRules = [];

const PATTERN = /^https:\/\/(\*\.)?([^\s/?#@\\*:]+)(:\d{1,5})?(\/[^\s?#\\*]*)?$/i;

/** What is wrong with a pattern; undefined for a sound one. Said as the policy's faults are: `must …`. */
export function sourcePatternError(pattern: string): string | undefined {
  const rule = parsePattern(pattern, '');
  return typeof rule === 'string' ? rule : undefined;
}

/** `origin` is where the list stands. Patterns that sourcePatternFault finds fault with admit nothing. */
export function compileSources(patterns: readonly string[], origin: string): SourceRules {
  return patterns
    .flatMap((pattern, index) => {
      const rule = parsePattern(pattern, `${origin}/${index}`);
      return typeof rule === 'string' ? [] : [rule];
    })
    .toSorted((a, b) => exactness(b) - exactness(a));
}

/** The rule that admits an address that parseSourceUrl has passed: the one that names it most exactly, if several do. */
export function findSourceRule(rules: SourceRules, url: URL): SourceRule | undefined {
  if (url.protocol !== 'https:') return undefined;
  return rules.find(
    (rule) => portOf(url) === rule.port && isHostIn(url.hostname, rule) && isPathIn(url.pathname, rule),
  );
}

function parsePattern(pattern: string, place: string): SourceRule | string {
  const [, wildcard, host = '', port, path = '/'] = PATTERN.exec(pattern) ?? [];
  const text = `https://${host}${port ?? ''}${path}`;
  if (host === '' || !URL.canParse(text)) {
    return 'must be an https address without query, such as https://contoso.blob.core.windows.net/invoices/ or https://*.sharepoint.com/';
  }
  const url = new URL(text);
  if (isIpLiteral(url.hostname)) return 'must name its host, not an IP address';
  if (url.hostname.endsWith('.')) return 'must not end its host with a dot';
  if (wildcard !== undefined && !url.hostname.includes('.')) return 'must have at least two names after *.';
  if (climbs(path)) return 'must not hold . or .. in its path';
  return {
    host: url.hostname,
    isHostExact: wildcard === undefined,
    port: portOf(url),
    isPortNamed: port !== undefined,
    path: upperEscapes(url.pathname),
    place,
  };
}

function portOf(url: URL): string {
  return url.port === '' ? '443' : url.port;
}

/** `*.` stands for one name or more. */
function isHostIn(hostname: string, { host, isHostExact }: SourceRule): boolean {
  return isHostExact ? hostname === host : hostname.length > host.length + 1 && hostname.endsWith(`.${host}`);
}

/** A path is in a folder only from a slash on: `/invoices` admits `/invoices/1.pdf`, not `/invoices-old/1.pdf`. */
function isPathIn(pathname: string, { path }: SourceRule): boolean {
  const asked = upperEscapes(pathname);
  return asked === path || asked.startsWith(path.endsWith('/') ? path : `${path}/`);
}

/** `%c3` and `%C3` are the same (RFC 3986, section 6.2.2.1). */
function upperEscapes(path: string): string {
  return path.replace(/%[0-9a-f]{2}/gi, (encoded) => encoded.toUpperCase());
}

function exactness({ isHostExact, isPortNamed }: SourceRule): number {
  return (isHostExact ? 2 : 0) + (isPortNamed ? 1 : 0);
}
