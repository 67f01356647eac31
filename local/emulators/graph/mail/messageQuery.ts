import { GraphError } from '../graphResponse.ts';
import { queryOption } from '../page.ts';
import { propertyKey } from './message.ts';
import { SERVER_MEMBERS, WRITABLE_MEMBERS } from './messageBody.ts';

/** The parts of a query that choose messages and members. */
export interface MessageQuery {
  /** Undefined: all. */
  readonly select: readonly string[] | undefined;
  readonly expandsAttachments: boolean;
  /** The keys of the extended properties to show. */
  readonly expandedProperties: ReadonlySet<string | undefined>;
  readonly terms: readonly Term[];
}

/** One comparison of a filter; all of them must be true. */
export type Term =
  | { readonly kind: 'property'; readonly key: string; readonly value: string }
  | { readonly kind: 'member'; readonly name: string; readonly operator: string; readonly value: string | boolean };

const TEXT = "'((?:[^']|'')*)'";
const PROPERTY_TERM = new RegExp(
  `^singleValueExtendedProperties/any\\((\\w+): *\\1/id eq ${TEXT} and \\1/value eq ${TEXT}\\)`,
  'i',
);
const MEMBER_TERM = new RegExp(`^(\\w+) (eq|ne|lt|le|gt|ge) (?:${TEXT}|([\\w:.+-]+))`, 'i');
const FILTERABLE = ['internetMessageId', 'conversationId', 'subject', 'isDraft', 'hasAttachments'];
const FILTERABLE_TIMES = ['createdDateTime', 'lastModifiedDateTime', 'sentDateTime', 'receivedDateTime'];

/** Shown if they are expanded only. */
export const NAVIGATION = [
  'attachments',
  'extensions',
  'singleValueExtendedProperties',
  'multiValueExtendedProperties',
];
const SELECTABLE = [...WRITABLE_MEMBERS, ...SERVER_MEMBERS].filter((name) => !NAVIGATION.includes(name));

/** @throws GraphError if it has a form that the emulator does not know */
export function readMessageQuery(query: URLSearchParams): MessageQuery {
  const expand = queryOption(query, 'expand') ?? '';
  const properties = /singleValueExtendedProperties\((?:\$filter=)([^()]*)\)/i.exec(expand)?.[1] ?? '';
  if (/singleValueExtendedProperties/i.test(expand) && properties === '') throw invalid('$expand', expand);
  return {
    select: readSelect(queryOption(query, 'select')),
    expandsAttachments: /(?:^|,)attachments\b/i.test(expand),
    expandedProperties: new Set(
      [...properties.matchAll(new RegExp(`\\bid eq ${TEXT}`, 'gi'))].map(([, id]) => propertyKey(unquoted(id))),
    ),
    terms: readFilter(queryOption(query, 'filter') ?? ''),
  };
}

function readSelect(text: string | undefined): readonly string[] | undefined {
  return text?.split(',').map((part) => {
    const name = SELECTABLE.find((known) => known.toLowerCase() === part.trim().toLowerCase());
    if (name !== undefined) return name;
    const message = `Could not find a property named '${part.trim()}' on type 'microsoft.graph.message'.`;
    throw new GraphError(400, 'RequestBroker--ParseUri', message);
  });
}

function readFilter(filter: string): Term[] {
  const terms: Term[] = [];
  let rest = filter.trim();
  while (rest !== '') {
    const { term, length } = readTerm(rest);
    terms.push(term);
    const after = rest.slice(length).trim();
    if (after !== '' && !/^and /i.test(after)) throw invalid('$filter', filter);
    rest = after.slice('and '.length).trim();
  }
  return terms;
}

function readTerm(text: string): { readonly term: Term; readonly length: number } {
  const [propertyText, , id, propertyValue] = PROPERTY_TERM.exec(text) ?? [];
  if (propertyText !== undefined) {
    const key = propertyKey(unquoted(id));
    if (key === undefined) throw invalid('extended property id', id ?? '');
    return { term: { kind: 'property', key, value: unquoted(propertyValue) }, length: propertyText.length };
  }
  const [memberText, given = '', operator = '', quoted, literal] = MEMBER_TERM.exec(text) ?? [];
  const known = [...FILTERABLE, ...FILTERABLE_TIMES];
  const name = known.find((one) => one.toLowerCase() === given.toLowerCase());
  if (memberText === undefined || name === undefined) throw invalid('$filter', text);
  const isBoolean = literal === 'true' || literal === 'false';
  const value = isBoolean ? literal === 'true' : (literal ?? unquoted(quoted));
  return { term: { kind: 'member', name, operator: operator.toLowerCase(), value }, length: memberText.length };
}

/** Whether a message, as Graph shows it, and its extended properties satisfy all terms. */
export function matches(
  terms: readonly Term[],
  shown: Readonly<Record<string, unknown>>,
  properties: ReadonlyMap<string | undefined, string>,
): boolean {
  return terms.every((term) => {
    if (term.kind === 'property') return properties.get(term.key)?.toLowerCase() === term.value.toLowerCase();
    const { name, operator, value } = term;
    const actual = shown[name];
    if (!FILTERABLE_TIMES.includes(name)) return operator === 'ne' ? actual !== value : actual === value;
    const difference = Date.parse(String(actual)) - Date.parse(String(value));
    switch (operator) {
      case 'lt':
        return difference < 0;
      case 'le':
        return difference <= 0;
      case 'gt':
        return difference > 0;
      case 'ge':
        return difference >= 0;
      default:
        return operator === 'ne' ? difference !== 0 : difference === 0;
    }
  });
}

function unquoted(text = ''): string {
  return text.replaceAll("''", "'");
}

function invalid(what: string, text: string): GraphError {
  return new GraphError(400, 'BadRequest', `The emulator does not support this ${what}: ${text}`);
}
