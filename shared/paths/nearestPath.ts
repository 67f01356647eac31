import { editsBetween, isNear } from '../common/nearName.ts';
import { ITEM_SUFFIXES } from '../routes.ts';
import { ENTITY_TYPES, type EntityTypeName, type NavigationProperty, ROOTS, withoutNamespace } from './entityModel.ts';

/** What may follow `attachments`. */
const ACTIONS = ITEM_SUFFIXES.flatMap((suffix) => suffix.split('/').slice(1)).filter((name) => !name.startsWith('{'));

/** Parts of a path that a message shows, such as `messages/{id}`. Folders can be nested without limit. */
const MAX_PARTS = 8;

/** Segments that are looked at: a path of 32 kB may have 16,000. */
const MAX_SEGMENTS = 16;

/** A navigation property, with the way to it. */
interface Way {
  readonly name: string;
  readonly property: NavigationProperty;
  /** From where the search began, this property included. */
  readonly parts: readonly string[];
}

/** `users` comes first: `me` is not configured everywhere. */
const ROOT_NAVIGATION = { users: ROOTS.users, me: ROOTS.me, groups: ROOTS.groups };

/**
 * The supported path that is nearest to a path which is not.
 *
 * @param pattern the parts that could be read, such as `users/{id}`
 * @param type where they lead; undefined before the owner
 * @param rest the segments that could not be read, none of them empty
 */
export function nearestPath(
  pattern: readonly string[],
  type: EntityTypeName | undefined,
  rest: readonly string[],
): string {
  const isComplete = pattern.at(-1) === 'attachments';
  const segments = rest.slice(0, MAX_SEGMENTS);
  const action = ACTIONS.filter((name) => segments.some((segment) => isNear(withoutNamespace(segment), name)));
  return abbreviate([
    ...pattern,
    ...(isComplete ? [] : [...nearestParts(type, segments), 'attachments']),
    ...action.slice(0, 1),
  ]);
}

/** The parts as text, of a long list the last ones. */
export function abbreviate(parts: readonly string[]): string {
  return (parts.length > MAX_PARTS ? ['…', ...parts.slice(1 - MAX_PARTS)] : parts).join('/');
}

/** Takes each segment that resembles a name that can still follow, with what lies before it; then the shortest way to an item. */
function nearestParts(start: EntityTypeName | undefined, rest: readonly string[]): string[] {
  const parts: string[] = [];
  let type = start;
  for (let at = 0; at < rest.length && parts.length < MAX_PARTS; at += 1) {
    const [name = '', key] = rest[at]?.split('(', 2) ?? [];
    const way = nearestWay(waysFrom(type), withoutNamespace(name));
    if (way === undefined) continue;
    parts.push(...way.parts);
    type = way.property.to;
    if (way.property.many && key === undefined) at += 1; // Its id.
  }
  if (type !== undefined && ENTITY_TYPES[type].item !== undefined) return parts;
  const toItem = waysFrom(type).find(({ property }) => ENTITY_TYPES[property.to].item !== undefined);
  return [...parts, ...(toItem?.parts ?? [])];
}

/** Every navigation property that can be reached, the nearest ones first. */
function waysFrom(start: EntityTypeName | undefined): readonly Way[] {
  const ways: Way[] = [];
  const seen = new Set<NavigationProperty>();
  const enter = (type: EntityTypeName | undefined, before: readonly string[]) => {
    const navigation = type === undefined ? ROOT_NAVIGATION : ENTITY_TYPES[type].navigation;
    for (const [name, property] of Object.entries(navigation)) {
      if (seen.has(property)) continue;
      seen.add(property);
      ways.push({ name, property, parts: [...before, property.many ? `${name}/{id}` : name] });
    }
  };
  enter(start, []);
  // The list grows while it is read.
  for (const { property, parts } of ways) {
    // Graph has retired outlookTasks: nobody gets there who did not write `outlook`.
    if (property.to !== 'outlookUser') enter(property.to, parts);
  }
  return ways;
}

function nearestWay(ways: readonly Way[], name: string): Way | undefined {
  return ways.filter((way) => isNear(name, way.name)).sort((one, other) => cost(name, one) - cost(name, other))[0];
}

/** Edits, and parts that the caller left out. */
function cost(written: string, { name, parts }: Way): number {
  return editsBetween(written, name) + parts.length;
}
