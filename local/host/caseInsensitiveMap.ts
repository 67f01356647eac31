/** Names that differ in letter case only are one: the first spelling stays, the last value wins. */
export class CaseInsensitiveMap<T> {
  readonly #entries = new Map<string, readonly [spelling: string, value: T]>();

  set(name: string, value: T): void {
    const key = name.toUpperCase();
    this.#entries.set(key, [this.#entries.get(key)?.[0] ?? name, value]);
  }

  has(name: string): boolean {
    return this.#entries.has(name.toUpperCase());
  }

  entries(): readonly (readonly [string, T])[] {
    return [...this.#entries.values()];
  }
}
