export type MissingMembers = ReturnType<typeof createMissingMembers>;

/**
 * Removes members from the worker's API, so that a test can show how an app behaves on such a platform.
 *
 * @param names with their owner, such as `@azure/functions-core.getProgrammingModel`
 */
export function createMissingMembers(names: readonly string[]) {
  const of = (owner: string) =>
    names.filter((name) => name.startsWith(`${owner}.`)).map((name) => name.slice(owner.length + 1));
  return {
    /** Removes them from an object. */
    remove(owner: string, value: object): void {
      for (const name of of(owner)) Reflect.deleteProperty(value, name);
    },
    /** The same object without them, for an object that the worker itself needs complete. */
    hide<T extends object>(owner: string, value: T): T {
      const hidden = of(owner);
      if (hidden.length === 0) return value;
      return new Proxy(value, {
        get: (target, name) => (hidden.includes(String(name)) ? undefined : Reflect.get(target, name)),
      });
    },
  };
}

export const NONE_MISSING = createMissingMembers([]);
