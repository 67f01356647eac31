import type { LogCategory, LogLevel } from '../messages.ts';
import type { HookCallback, HookName } from './coreTypes.ts';

export interface HookRegistry {
  /** Returns the function that takes the hook away again. */
  register(name: HookName, callback: HookCallback): () => void;
  /** Runs the hooks of a name one by one in registration order; the first that throws ends the run. */
  run(name: HookName, context: object): Promise<void>;
  /** Lets the `log` hooks see, change or filter a line, at once and in order. */
  runLog(line: LogLine): LogLine;
}

export interface LogLine {
  level: LogLevel;
  category: LogCategory;
  message: string;
  invocationContext?: unknown;
}

/** `appHookData` lives as long as the app; every hook context gets it read-only. */
export function createHookRegistry(appHookData: object): HookRegistry {
  const callbacks = new Map<HookName, HookCallback[]>();
  const of = (name: HookName): readonly HookCallback[] => callbacks.get(name) ?? [];
  return {
    register(name, callback) {
      callbacks.set(name, [...of(name), callback]);
      return () => {
        callbacks.set(
          name,
          of(name).filter((registered) => registered !== callback),
        );
      };
    },
    async run(name, context) {
      for (const callback of of(name)) {
        await callback(context);
      }
    },
    runLog(line) {
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
