import { GraphError } from './graphResponse.ts';
import type { GraphCall, GraphWorld } from './graphWorld.ts';

/** The value of a query option such as `$select`, which may come without the `$` and in any letter case. */
export function queryOption(query: URLSearchParams, name: string): string | undefined {
  const [, text] = [...query].find(([key]) => key.toLowerCase().replace(/^\$/, '') === name) ?? [];
  return text;
}

/** learn.microsoft.com/graph/api/user-list-messages: `$top` is 10 by default and 1,000 at most. */
const DEFAULT_PAGE = 10;
const MAX_PAGE = 1_000;

/** @throws GraphError */
export function readPage(query: URLSearchParams): { readonly top: number; readonly skip: number } {
  const numberOf = (name: string, absent: number) => {
    const text = queryOption(query, name);
    if (text === undefined) return absent;
    return /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  };
  const top = numberOf('top', DEFAULT_PAGE);
  const skip = numberOf('skip', 0);
  if (top >= 1 && top <= MAX_PAGE && skip >= 0) return { top, skip };
  throw new GraphError(400, 'BadRequest', 'Invalid value specified for $top or $skip.');
}

/** The URL of the next page, with every parameter of this one: learn.microsoft.com/graph/paging */
export function nextLink({ url, settings }: GraphWorld, { pathname, query }: GraphCall, skip: number): string {
  const next = new URLSearchParams([...query].filter(([key]) => key.toLowerCase() !== '$skip'));
  const search = `${next}${next.size === 0 ? '' : '&'}$skip=${skip}`.replaceAll('%24', '$').replaceAll('%2C', ',');
  return `${settings.nextLinkBase ?? `${url}${pathname}`}?${search}`;
}
