import { ServiceError } from '../errors.ts';
import {
  BETA_ONLY,
  ENTITY_TYPES,
  type EntityTypeName,
  JOINED_GROUPS,
  NAMESPACES,
  type NavigationProperty,
  ROOTS,
} from './entityModel.ts';
import { idFault } from './opaqueId.ts';
import type { GraphPath, GraphVersion, PathAction, Target, TargetOwner } from './target.ts';

/** A path segment taken apart: `messages('AAMk=')` has a name and a key, `messages` a name alone. */
interface Segment {
  readonly name: string;
  readonly key: string | undefined;
}

/** `name('key')` or `name(id='key')`; within the quotes a quote is doubled (OData URL conventions, 5.1.1.6.2). */
const PARENTHESISED_KEY = /^([^(]+)\((?:id=)?'(.*)'\)$/is;

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
    action: walk.action(),
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
    const isMe = root.name === 'me' || sameName(root.key, 'me');
    if (!isMe) return { owner: { kind: 'mailbox', id: root.key }, type: 'user' };
    if (!sameName(parseSegment(this.#peek()).name, JOINED_GROUPS)) return { owner: { kind: 'me' }, type: 'user' };
    const { key } = this.#navigate(JOINED_GROUPS_NAVIGATION);
    return { owner: { kind: 'group', id: key }, type: 'group' };
  }

  /** Follows navigation properties and casts until `attachments`. */
  item(start: EntityTypeName): { kind: Target['kind']; path: string } {
    let type = start;
    const path: string[] = [];
    for (;;) {
      const { item } = ENTITY_TYPES[type];
      if (item !== undefined && sameName(this.#peek(), 'attachments')) return { kind: item, path: path.join('/') };
      const cast = this.#cast(type);
      if (cast !== undefined) {
        path.push(`microsoft.graph.${cast}`);
        type = cast;
        continue;
      }
      const step = this.#navigate(NAVIGATION.get(type));
      path.push(step.name);
      if (step.property.many) path.push(encodeURIComponent(step.key));
      type = step.property.to;
    }
  }

  action(): PathAction {
    this.#next += 1; // `attachments`, seen by item().
    const segment = this.#peek();
    if (segment === undefined) return 'attach';
    this.#next += 1;
    if (!sameName(withoutNamespace(segment), 'createUploadSession') || this.#peek() !== undefined) throw unsupported();
    return 'createUploadSession';
  }

  #peek(): string | undefined {
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
    if (found === undefined || (!found.property.many && segment.key !== undefined)) throw unsupported();
    this.#next += 1;
    return { ...found, key: found.property.many ? this.#key(segment) : '' };
  }

  #key(segment: Segment): string {
    if (segment.key !== undefined) return checkedId(segment.key);
    const id = this.#peek();
    if (id === undefined) throw unsupported();
    this.#next += 1;
    return checkedId(id);
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

function withoutNamespace(segment: string): string {
  const lower = segment.toLowerCase();
  const namespace = NAMESPACES.find((candidate) => lower.startsWith(candidate));
  return namespace === undefined ? segment : segment.slice(namespace.length);
}

function checkedId(id: string): string {
  const fault = idFault(id);
  if (fault === undefined) return id;
  throw new ServiceError('InvalidId', `An id in the path ${fault}. Percent-encode each id once.`);
}

function unsupported(): ServiceError {
  return new ServiceError('PathNotSupported', `Nothing can be attached at this path. Supported: ${SUPPORTED_PATHS}.`);
}

/** The families in the words of a person; the entity model holds every spelling. */
export const SUPPORTED_PATHS = [
  '{users/{id} | me}[/mailFolders/{id}[/childFolders/{id}…]]/messages/{id}[/event]',
  '{users/{id} | me}[/calendar | [/calendarGroups/{id}]/calendars/{id}]/{events | calendarView}/{id}[/{instances | exceptionOccurrences}/{id}]',
  '{groups/{id} | me/joinedGroups/{id}}[/calendar]/{events | calendarView}/{id}[/{instances | exceptionOccurrences}/{id}]',
  '{users/{id} | me}/todo/lists/{id}/tasks/{id}',
  '{users/{id} | me}/outlook[[/taskGroups/{id}]/taskFolders/{id}]/tasks/{id}',
  '{groups/{id} | me/joinedGroups/{id}}[/conversations/{id}]/threads/{id}/posts/{id}[/inReplyTo]',
]
  .map((path) => `${path}/attachments[/createUploadSession]`)
  .join('; ');
