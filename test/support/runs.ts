/** Whether this is `npm run test:exhaustive` (jest.config.js). */
export const isExhaustive = Reflect.get(globalThis, 'isExhaustive') === true;

/** How often a property is tried: a few times in `npm test`, often in `npm run test:exhaustive`. */
export function runs(few: number, many: number): number {
  return isExhaustive ? many : few;
}
