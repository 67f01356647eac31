import fc, { type GeneratorValue } from 'fast-check';
import {
  BETA_ONLY,
  ENTITY_TYPES,
  type EntityTypeName,
  type ItemKind,
  NAMESPACES,
  type NavigationProperty,
} from '../../../shared/paths/entityModel.ts';
import { parsePath } from '../../../shared/paths/parsePath.ts';
import type { TargetOwner } from '../../../shared/paths/target.ts';
import { thrownBy } from '../../support/builders.ts';

describe('parsePath, on random walks through the entity model', () => {
  it('reads each, whatever its spelling', () => {
    fc.assert(
      fc.property(fc.gen(), (g) => {
        const walk = drawWalk(g, safeId);

        const target = parsePath(walk.spelled);

        expect(target.kind).toBe(walk.kind);
        expect(target.owner).toEqual(walk.owner);
        expect(target.version).toBe(BETA_ONLY.has(walk.kind) ? 'beta' : walk.version);
        expect(target.itemPath).toBe(walk.itemPath);
      }),
      { numRuns: 1_000 },
    );
  });

  it('refuses each that holds one unsafe id', () => {
    fc.assert(
      fc.property(fc.gen(), fc.nat(), (g, position) => {
        const walk = drawWalk(g, safeId);
        const keys = walk.keys.filter((key) => key !== 'me');
        fc.pre(keys.length > 0);
        const victim = keys[position % keys.length] ?? '';
        const unsafe = g(() => unsafeId);

        const path = walk.spell((key) => (key === victim ? unsafe : key));

        expect(thrownBy(() => parsePath(path))).toMatchObject({ code: 'InvalidId', status: 400 });
      }),
      { numRuns: 500 },
    );
  });
});

const safeId = fc
  .oneof(
    fc.string({ unit: fc.constantFrom(..."AaZz09=-_+:@'()!*&$,;. é√🎉"), minLength: 1, maxLength: 40 }),
    fc.string({ unit: 'grapheme', minLength: 1 }).filter((id) => !/[/\\?#%\p{Cc}]/u.test(id)),
    fc.constantFrom(
      'attachments',
      'createUploadSession',
      'microsoft.graph.event',
      'v1.0',
      "messages('x')",
      "id='x'",
      '...',
    ),
  )
  .filter((id) => id !== '.' && id !== '..' && id.toLowerCase() !== 'me');

const unsafeId = fc.oneof(
  fc.constantFrom('', '.', '..'),
  fc
    .tuple(safeId, fc.constantFrom('\\', '?', '#', '%', '\u0000', '\u001f', '\u007f', '\u009f', '\ud800'), safeId)
    .map((parts) => parts.join('')),
);

interface Walk {
  readonly spelled: string;
  readonly kind: ItemKind;
  readonly owner: TargetOwner;
  readonly version: string;
  readonly itemPath: string;
  readonly keys: readonly string[];
  /** The same spelling with other ids. */
  spell(change: (key: string) => string): string;
}

/** A random way from a root to an item, and one of the ways to write it. */
function drawWalk(g: GeneratorValue, ids: fc.Arbitrary<string>): Walk {
  const parts: ((change: (key: string) => string) => string)[] = [];
  const keys: string[] = [];
  const itemPath: string[] = [];
  const literal = (name: string) => {
    const spelled = anyCase(g, name);
    parts.push(() => spelled);
  };
  const keyed = (name: string): string => {
    const key = g(() => ids);
    keys.push(key);
    const spelledName = anyCase(g, name);
    const style = g(() => fc.constantFrom('segment', 'parenthesised', 'named'));
    parts.push((change) => {
      if (style === 'segment') return `${spelledName}/${change(key)}`;
      const quoted = `'${change(key).replaceAll("'", "''")}'`;
      return `${spelledName}(${style === 'named' ? 'id=' : ''}${quoted})`;
    });
    return key;
  };

  const version = g(() => fc.constantFrom('', 'v1.0', 'beta'));
  if (version !== '') literal(version);
  const root = g(() => fc.constantFrom('me', 'users', 'groups', 'joinedGroups'));
  let owner: TargetOwner;
  if (root === 'me') {
    literal('me');
    owner = { kind: 'me' };
  } else if (root === 'joinedGroups') {
    literal('me');
    owner = { kind: 'group', id: keyed('joinedGroups') };
  } else {
    owner = { kind: root === 'users' ? 'mailbox' : 'group', id: keyed(root) };
  }

  let type: EntityTypeName = owner.kind === 'group' ? 'group' : 'user';
  for (let steps = 0; ; steps += 1) {
    const item: ItemKind | undefined = ENTITY_TYPES[type].item;
    const onward: [string, NavigationProperty][] = Object.entries(ENTITY_TYPES[type].navigation);
    if (item !== undefined && (onward.length === 0 || steps > 8 || g(fc.boolean))) break;
    const cast = g(() => fc.constantFrom(undefined, ...subtypesOf(type)));
    if (cast !== undefined) {
      literal(`${g(() => fc.constantFrom(...NAMESPACES))}${cast}`);
      itemPath.push(`microsoft.graph.${cast}`);
      type = cast;
      continue;
    }
    const [name, { to, many }]: [string, NavigationProperty] = g(() => fc.constantFrom(...onward));
    if (many) {
      const key = keyed(name);
      const quoted = key.replaceAll("'", "''");
      itemPath.push(key.startsWith('$') ? `${name}('${encodeKey(quoted)}')` : `${name}/${encodeURIComponent(key)}`);
    } else {
      literal(name);
      itemPath.push(name);
    }
    type = to;
  }
  const kind = ENTITY_TYPES[type].item;
  if (kind === undefined) throw new Error('The walk ended before an item.');
  literal('attachments');
  literal(`${g(() => fc.constantFrom('', ...NAMESPACES))}createUploadSession`);
  const slash = g(() => fc.constantFrom('', '/'));
  const spell: Walk['spell'] = (change) => parts.map((part) => part(change)).join('/') + slash;
  return {
    spelled: spell((key) => key),
    kind,
    owner,
    version: version === '' ? 'v1.0' : version,
    itemPath: itemPath.join('/'),
    keys,
    spell,
  };
}

function subtypesOf(type: EntityTypeName): EntityTypeName[] {
  const direct = (Object.keys(ENTITY_TYPES) as EntityTypeName[]).filter(
    (name) => ENTITY_TYPES[name].derivesFrom === type,
  );
  return direct.flatMap((name) => [name, ...subtypesOf(name)]);
}

function anyCase(g: GeneratorValue, name: string): string {
  const style = g(() => fc.constantFrom('as is', 'upper', 'lower'));
  if (style === 'upper') return name.toUpperCase();
  return style === 'lower' ? name.toLowerCase() : name;
}

function encodeKey(key: string): string {
  return key
    .split('$')
    .map((part) => encodeURIComponent(part))
    .join('$');
}
