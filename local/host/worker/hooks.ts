import type { LogCategory, LogLevel } from '../messages.ts';
import type { HookCallback, HookName } from './coreTypes.ts';

export type HookRegistry = ReturnType<typeof createHookRegistry>;

export interface LogLine {
  level: LogLevel;
  category: LogCategory;
  message: string;
  invocationContext?: unknown;
}

/** `appHookData` lives as long as the app; every hook context gets it read-only. */
export function createHookRegistry(appHookData: object) {
  const callbacks = new Map<HookName, HookCallback[]>();
  const of = (name: HookName): readonly HookCallback[] => callbacks.get(name) ?? [];
  return {
    /** Returns the function that removes the hook. */
    register(name: HookName, callback: HookCallback): () => void {
      callbacks.set(name, [...of(name), callback]);
      return () => {
        callbacks.set(
          name,
          of(name).filter((registered) => registered !== callback),
        );
      };
    },
    /** Runs the hooks of a name in registration order, until one throws. */
    async run(name: HookName, context: object): Promise<void> {
      for (const callback of of(name)) {
        await callback(context);
      }
    },
    /** Lets the `log` hooks read, change or filter a line. */
    runLog(line: LogLine): LogLine {
      const context = Object.assign(withReadOnly({ hookData: {}, appHookData }), line);
      for (const callback of of('log')) {
        callback(context);
      }
      return context;
    },
  };
}

/** An object whose given members cannot be replaced, as the worker's hook contexts have them. */
export function withReadOnly<T extends object>(members: T): Readonly<T> {
  const context = { ...members };
  for (const name of Object.keys(members)) {
    Object.defineProperty(context, name, { writable: false, configurable: false });
  }
  return context;
}
