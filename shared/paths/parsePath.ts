import { ServiceError } from '../errors.ts';
import { ITEM_SUFFIXES } from '../routes.ts';
import {
  BETA_ONLY,
  ENTITY_TYPES,
  type EntityTypeName,
  JOINED_GROUPS,
  ME_NAMES,
  type NavigationProperty,
  ROOTS,
  withoutNamespace,
} from './entityModel.ts';
import { abbreviate, nearestPath } from './nearestPath.ts';
import { idError, mailboxError } from './opaqueId.ts';
import { type GraphPath, type GraphVersion, keySegment, type Target, type TargetOwner } from './target.ts';

/** A path segment taken apart: `messages('AAMk=')` has a name and a key, `messages` a name alone. */
interface Segment {
  readonly name: string;
  readonly key: string | undefined;
}

/** `name('key')` or `name(id='key')`; within the quotes a quote is doubled (OData URL conventions, 5.1.1.6.2). */
const PARENTHESISED_KEY = /^([^(]+)\((?:id=)?'(.*)'\)$/is;

/** What a client leaves in the path if it takes an absolute URL for a path: `https:`, then an empty segment and the host. */
const ABSOLUTE_URL = /^https?:/i;

/**
 * Reads the path below the route prefix, decoded once by the platform, into the item that it names and what is asked of it.
 * A percent sign left in it was encoded twice, or is the `%2F` that the platform leaves alone: neither is an id.
 *
 * @throws ServiceError PathNotSupported, InvalidId
 */
export function parsePath(path: string): GraphPath {
  const segments = path.split('/');
  if (segments.at(-1) === '') segments.pop(); // A trailing slash is tolerated, as by the platform's own routing.
  const walk = new PathWalk(segments);
  const version = walk.version();
  const { owner, type } = walk.owner();
  const item = walk.item(type);
  return {
    kind: item.kind,
    version: BETA_ONLY.has(item.kind) ? 'beta' : version,
    owner,
    itemPath: item.path,
    ...item.below,
  };
}

type NavigationProperties = ReadonlyMap<string, { readonly name: string; readonly property: NavigationProperty }>;

const ENTITY_TYPE_NAMES = Object.keys(ENTITY_TYPES).filter(isEntityTypeName);

/** The model's navigation properties by lower-case name, per entity type and for the two places where no entity type leads. */
const NAVIGATION = new Map(
  ENTITY_TYPE_NAMES.map((type) => [type, byLowerCaseName(ENTITY_TYPES[type].navigation)] as const),
);
const ROOT_NAVIGATION = byLowerCaseName(ROOTS);
const JOINED_GROUPS_NAVIGATION = byLowerCaseName({ [JOINED_GROUPS]: { to: 'group', many: true } });

function isEntityTypeName(name: string): name is EntityTypeName {
  return name in ENTITY_TYPES;
}

function byLowerCaseName(properties: Readonly<Record<string, NavigationProperty>>): NavigationProperties {
  return new Map(Object.entries(properties).map(([name, property]) => [name.toLowerCase(), { name, property }]));
}

class PathWalk {
  readonly #segments: readonly string[];
  #next = 0;
  /** What was read, for a refusal: names as Graph spells them, `{id}` in place of each id. */
  readonly #pattern: string[] = [];
  /** Where the pattern leads; undefined before the owner. */
  #type: EntityTypeName | undefined;

  constructor(segments: readonly string[]) {
    this.#segments = segments;
  }

  version(): GraphVersion {
    const segment = this.#peek()?.toLowerCase();
    if (segment !== 'v1.0' && segment !== 'beta') return 'v1.0';
    this.#next += 1;
    return segment;
  }

  owner(): { owner: TargetOwner; type: EntityTypeName } {
    const root = this.#navigate(ROOT_NAVIGATION);
    if (root.name === 'groups') return { owner: { kind: 'group', id: root.key }, type: 'group' };
    const isMe = root.name === 'me' || ME_NAMES.some((name) => sameName(root.key, name));
    if (!isMe) return { owner: { kind: 'mailbox', id: root.key }, type: 'user' };
    if (!sameName(parseSegment(this.#peek()).name, JOINED_GROUPS)) return { owner: { kind: 'me' }, type: 'user' };
    const { key } = this.#navigate(JOINED_GROUPS_NAVIGATION);
    return { owner: { kind: 'group', id: key }, type: 'group' };
  }

  /** Follows navigation properties and casts until the rest is a path of the table of routes. */
  item(start: EntityTypeName): { kind: Target['kind']; path: string; below: Pick<GraphPath, 'suffix' | 'ids'> } {
    let type = start;
    const path: string[] = [];
    for (;;) {
      const { item } = ENTITY_TYPES[type];
      const below = item && this.#below();
      if (item !== undefined && below !== undefined) return { kind: item, path: path.join('/'), below };
      const cast = this.#cast(type);
      if (cast !== undefined) {
        path.push(`microsoft.graph.${cast}`);
        type = cast;
        continue;
      }
      const step = this.#navigate(NAVIGATION.get(type));
      path.push(step.property.many ? keySegment(step.name, step.key) : step.name);
      type = step.property.to;
    }
  }

  /** Undefined if the rest cannot be a path of the table. @throws ServiceError if it begins like one */
  #below(): Pick<GraphPath, 'suffix' | 'ids'> | undefined {
    for (const suffix of ITEM_SUFFIXES) {
      const ids = this.#match(suffix.split('/'));
      if (ids !== undefined) return { suffix, ids };
    }
    if (!sameName(parseSegment(this.#peek()).name, 'attachments')) return undefined;
    this.#next += 1;
    this.#pattern.push('attachments');
    throw this.#unsupported();
  }

  /** The ids, if exactly these names and `{id}`s follow. Nothing is taken otherwise. */
  #match(names: readonly string[]): Readonly<Record<string, string>> | undefined {
    const start = this.#next;
    const ids: Record<string, string> = {};
    let key: string | undefined;
    for (const [at, name] of names.entries()) {
      if (name.startsWith('{')) {
        const id = key ?? this.#segments[this.#next];
        if (key === undefined) this.#next += 1;
        key = undefined;
        if (id !== undefined) ids[name.slice(1, -1)] = checkedId(id, idError);
        if (id !== undefined) continue;
      } else {
        const segment = parseSegment(this.#peek());
        key = segment.key;
        this.#next += 1;
        // Only an action may carry its namespace.
        const written = at > 0 ? withoutNamespace(segment.name) : segment.name;
        if (sameName(written, name) && (key === undefined || names[at + 1]?.startsWith('{'))) continue;
      }
      this.#next = start;
      return undefined;
    }
    if (this.#peek() === undefined) return ids;
    this.#next = start;
    return undefined;
  }

  /**
   * The next name. Empty segments before it are skipped: some clients write a doubled slash, and Graph takes it. An id is
   * never skipped to, so that a path keeps its one reading.
   */
  #peek(): string | undefined {
    while (this.#segments[this.#next] === '') this.#next += 1;
    return this.#segments[this.#next];
  }

  #cast(from: EntityTypeName): EntityTypeName | undefined {
    const segment = this.#peek();
    if (segment === undefined || !segment.includes('.')) return undefined;
    const name = withoutNamespace(segment).toLowerCase();
    const cast = ENTITY_TYPE_NAMES.find((type) => type.toLowerCase() === name);
    if (name === segment.toLowerCase() || cast === undefined) return undefined;
    if (!isA(cast, from)) return undefined;
    this.#next += 1;
    this.#pattern.push(`microsoft.graph.${cast}`);
    this.#type = cast;
    return cast;
  }

  /** Takes one navigation property, with its key where it leads to a collection; gives the name as Graph spells it. */
  #navigate(properties: NavigationProperties | undefined): {
    name: string;
    key: string;
    property: NavigationProperty;
  } {
    const segment = parseSegment(this.#peek());
    const found = properties?.get(segment.name.toLowerCase());
    if (found === undefined || (!found.property.many && segment.key !== undefined)) throw this.#unsupported();
    this.#next += 1;
    this.#pattern.push(found.property.many ? `${found.name}/{id}` : found.name);
    this.#type = found.property.to;
    const check = found.property === ROOTS.users ? mailboxError : idError;
    return { ...found, key: found.property.many ? this.#key(segment, check) : '' };
  }

  #key(segment: Segment, check: typeof idError): string {
    if (segment.key !== undefined) return checkedId(segment.key, check);
    const id = this.#segments[this.#next];
    if (id === undefined) throw this.#unsupported();
    this.#next += 1;
    return checkedId(id, check);
  }

  /** Says where the path went wrong without quoting it: an id may stand where a name belongs. */
  #unsupported(): ServiceError {
    const url = this.#segments.map((segment) => ABSOLUTE_URL.exec(segment)?.[0]).find((scheme) => scheme !== undefined);
    if (url !== undefined) {
      return new ServiceError(
        'PathNotSupported',
        `The path contains '${url.toLowerCase()}': the client appended an absolute URL to its base URL. Send the request to that URL itself; LargeFileUploadTask of the Graph SDK for JavaScript can do so only with https URLs.`,
      );
    }
    const rest = this.#segments.slice(this.#next).filter((segment) => segment !== '');
    const nearest = nearestPath(this.#pattern, this.#type, rest);
    return new ServiceError(
      'PathNotSupported',
      `This path does not support attachments: ${this.#whatIsWrong(rest)}. The nearest supported path is ${nearest}; docs/api/paths.md lists all.`,
    );
  }

  #whatIsWrong(rest: readonly string[]): string {
    if (rest.length === 0) return 'it ends too early';
    if (this.#type === undefined)
      return 'it must begin with users/{id}, me or groups/{id}, optionally after v1.0 or beta';
    return `the segment after ${abbreviate(this.#pattern)} is not supported`;
  }
}

function isA(type: EntityTypeName, ancestor: EntityTypeName): boolean {
  if (type === ancestor) return true;
  const parent = ENTITY_TYPES[type].derivesFrom;
  return parent !== undefined && isA(parent, ancestor);
}

function parseSegment(segment = ''): Segment {
  const match = segment.endsWith(')') ? PARENTHESISED_KEY.exec(segment) : null;
  if (match === null) return { name: segment, key: undefined };
  return { name: match[1] ?? '', key: (match[2] ?? '').replaceAll("''", "'") };
}

/** Segment names are matched without regard to case; ids are not: learn.microsoft.com/graph/traverse-the-graph */
function sameName(segment: string | undefined, name: string): boolean {
  return segment !== undefined && segment.length === name.length && segment.toLowerCase() === name.toLowerCase();
}

function checkedId(id: string, check: typeof idError): string {
  const fault = check(id);
  if (fault === undefined) return id;
  throw new ServiceError('InvalidId', `An id in the path ${fault}. Percent-encode each id once.`);
}
