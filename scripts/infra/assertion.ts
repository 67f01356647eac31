/** One thing that must hold; it does when there are no faults. */
export interface Assertion {
  readonly says: string;
  readonly faults: readonly string[];
}

/** Faults where a list of names is not the expected one: missing, not expected, or there twice. Order does not matter. */
export function differences(actual: readonly string[], expected: readonly string[]): string[] {
  return [
    ...expected.filter((name) => !actual.includes(name)).map((name) => `${name} is missing`),
    ...actual.filter((name) => !expected.includes(name)).map((name) => `${name} is not expected`),
    ...actual.filter((name, index) => actual.indexOf(name) < index).map((name) => `${name} is there more than once`),
  ];
}
