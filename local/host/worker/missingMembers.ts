/** Members that the worker's API lacks, so that a test can show what an app does on such a platform. */
export interface MissingMembers {
  /** Removes them from an object of this worker. */
  remove(owner: string, value: object): void;
  /** The same object without them, for an object that the worker itself needs whole. */
  hide<T extends object>(owner: string, value: T): T;
}

export const NONE_MISSING: MissingMembers = createMissingMembers([]);

/** @param names with their owner, such as `@azure/functions-core.getProgrammingModel` */
export function createMissingMembers(names: readonly string[]): MissingMembers {
  const of = (owner: string) =>
    names.filter((name) => name.startsWith(`${owner}.`)).map((name) => name.slice(owner.length + 1));
  return {
    remove(owner, value) {
      for (const name of of(owner)) Reflect.deleteProperty(value, name);
    },
    hide(owner, value) {
      const hidden = of(owner);
      if (hidden.length === 0) return value;
      return new Proxy(value, {
        get: (target, name) => (hidden.includes(String(name)) ? undefined : Reflect.get(target, name)),
      });
    },
  };
}
