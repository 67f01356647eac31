import {
  BETA_ONLY,
  ENTITY_TYPES,
  type EntityTypeName,
  ITEM_KINDS,
  NAMESPACES,
  ROOTS,
} from '../../../shared/paths/entityModel.ts';

const types = Object.entries(ENTITY_TYPES);

/** Every type that some path leads to, casts included. */
function reachableTypes(): Set<string> {
  const reached = new Set<EntityTypeName>();
  const queue: EntityTypeName[] = Object.values(ROOTS).map(({ to }) => to);
  for (let type = queue.pop(); type !== undefined; type = queue.pop()) {
    if (reached.has(type)) continue;
    reached.add(type);
    const onward = Object.values(ENTITY_TYPES[type].navigation).map(({ to }) => to);
    const casts = (Object.keys(ENTITY_TYPES) as EntityTypeName[]).filter(
      (name) => ENTITY_TYPES[name].derivesFrom === type,
    );
    queue.push(...onward, ...casts);
  }
  return reached;
}

describe('ENTITY_TYPES', () => {
  it('leads only to types that it holds', () => {
    const named = types.flatMap(([, { navigation, derivesFrom }]) => [
      ...Object.values(navigation).map(({ to }) => to),
      ...(derivesFrom === undefined ? [] : [derivesFrom]),
    ]);

    expect(new Set(Object.keys(ENTITY_TYPES))).toEqual(new Set([...Object.keys(ENTITY_TYPES), ...named]));
  });

  it('reaches each of its types from a root', () => {
    expect([...reachableTypes()].sort()).toEqual(Object.keys(ENTITY_TYPES).sort());
  });

  it('binds the action to each kind of item, and to nothing else', () => {
    const bound = types.flatMap(([, { item }]) => (item === undefined ? [] : [item]));

    expect(new Set(bound)).toEqual(new Set(ITEM_KINDS));
  });

  it('names no navigation property twice in different case, nor like the action or the collection of attachments', () => {
    for (const [, { navigation }] of types) {
      const names = Object.keys(navigation).map((name) => name.toLowerCase());

      expect(new Set(names).size).toBe(names.length);
      expect(names).not.toContain('attachments');
      expect(names).not.toContain('createuploadsession');
    }
  });

  it('holds no dot in a navigation property, which would read as a cast', () => {
    expect(types.flatMap(([, { navigation }]) => Object.keys(navigation)).filter((name) => name.includes('.'))).toEqual(
      [],
    );
  });

  it('gives a subtype the navigation properties and the kind of its base', () => {
    for (const [, { derivesFrom, navigation, item }] of types) {
      if (derivesFrom === undefined) continue;
      expect(navigation).toMatchObject(ENTITY_TYPES[derivesFrom].navigation);
      expect(item).toBe(ENTITY_TYPES[derivesFrom].item);
    }
  });
});

describe('NAMESPACES', () => {
  it('tries the longer name first, which ends in the shorter one', () => {
    expect([...NAMESPACES].sort((a, b) => b.length - a.length)).toEqual([...NAMESPACES]);
  });
});

describe('BETA_ONLY', () => {
  it('has only the retired outlookTask family', () => {
    expect([...BETA_ONLY]).toEqual(['outlookTask']);
  });
});
