type Constraint = (value: string) => boolean;

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | {
      readonly kind: 'parameter' | 'catchAll';
      readonly name: string;
      readonly isOptional: boolean;
      readonly constraints: readonly Constraint[];
    };

export type RouteTemplate = readonly Segment[];
export type RouteParameters = Readonly<Record<string, string>>;

/**
 * Reads a route template in ASP.NET Core's notation: literals, `{id}`, `{id?}`, `{*rest}`, and the constraints int,
 * alpha, length and regex. Throws on any other part of that notation. (learn.microsoft.com/aspnet/core/fundamentals/routing)
 */
export function parseRouteTemplate(template: string): RouteTemplate {
  return splitOutside(template, '/').filter(Boolean).map(parseSegment);
}

/** Splits at a separator that stands outside of braces and parentheses: a regex constraint may hold it too. */
function splitOutside(text: string, separator: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of text) {
    depth += '{('.includes(character) ? 1 : '})'.includes(character) ? -1 : 0;
    if (character === separator && depth === 0) {
      parts.push('');
    } else {
      parts[parts.length - 1] += character;
    }
  }
  return parts;
}

function parseSegment(text: string): Segment {
  if (!/[{}]/.test(text)) return { kind: 'literal', text: text.toUpperCase() };
  const inner = /^\{(\*{0,2})(.+)\}$/.exec(text);
  const [head = '', ...constraints] = splitOutside(inner?.[2] ?? '', ':');
  const tail = constraints.at(-1) ?? head;
  const isOptional = tail.endsWith('?');
  const name = constraints.length === 0 ? head.replace(/\?$/, '') : head;
  if (!/^\w+$/.test(name)) throw new Error(`Route segment "${text}" is not supported by this host.`);
  if (isOptional && constraints.length > 0) {
    constraints[constraints.length - 1] = tail.slice(0, -1);
  }
  return {
    kind: inner?.[1] === '' ? 'parameter' : 'catchAll',
    name,
    isOptional,
    constraints: constraints.map(parseConstraint),
  };
}

function parseConstraint(text: string): Constraint {
  const [, name, argument = ''] = /^(\w+)(?:\((.*)\))?$/.exec(text) ?? [];
  switch (name) {
    case 'int':
      return (value) => /^[+-]?\d+$/.test(value) && Math.abs(Number(value)) < 2 ** 31;
    case 'alpha':
      return (value) => /^[a-z]*$/i.test(value);
    case 'length': {
      const [least = 0, most = least] = argument.split(',').map(Number);
      return (value) => value.length >= least && value.length <= most;
    }
    case 'regex': {
      const pattern = new RegExp(
        argument.replace(/\{\{|\}\}/g, (braces) => braces.charAt(0)),
        'i',
      );
      return (value) => pattern.test(value);
    }
    default:
      throw new Error(`Route constraint "${text}" is not supported by this host.`);
  }
}

/** Matches a decoded path; letter case of literals and one trailing slash make no difference. */
export function matchRoute(template: RouteTemplate, path: string): RouteParameters | undefined {
  const parts = path.slice(1).split('/');
  const hasTrailingSlash = parts.at(-1) === '';
  if (hasTrailingSlash) parts.pop();
  const parameters: Record<string, string> = {};
  for (const [index, segment] of template.entries()) {
    const part = parts[index];
    if (segment.kind === 'literal') {
      if (part?.toUpperCase() !== segment.text) return undefined;
      continue;
    }
    const value = segment.kind === 'catchAll' ? path.slice(1).split('/').slice(index).join('/') : part;
    if (part === undefined) {
      if (!segment.isOptional && segment.kind === 'parameter') return undefined;
    } else if (value === undefined || !accepts(segment, value)) {
      return undefined;
    } else {
      parameters[segment.name] = value;
    }
    if (segment.kind === 'catchAll') return parameters;
  }
  return parts.length > template.length ? undefined : parameters;
}

function accepts(segment: Exclude<Segment, { kind: 'literal' }>, value: string): boolean {
  return (segment.kind === 'catchAll' || value !== '') && segment.constraints.every((holds) => holds(value));
}
