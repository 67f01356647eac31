import Module from 'node:module';
import type { FunctionMetadata } from '../messages.ts';
import type { FunctionCallback, HookCallback, HookName, Logger, ProgrammingModel } from './coreTypes.ts';
import type { HookRegistry } from './hooks.ts';
import { type MissingMembers, NONE_MISSING } from './missingMembers.ts';

export interface RegisteredFunction {
  readonly id: string;
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
}

/** What the worker knows of the loaded app so far. */
export interface AppRegistry {
  readonly functions: Map<string, RegisteredFunction>;
  programmingModel: ProgrammingModel | undefined;
  /** Once the metadata has been served, a function registered later would never be called: it is refused. */
  isMetadataServed: boolean;
}

class Disposable {
  readonly #callOnDispose: () => void;
  constructor(callOnDispose: () => void) {
    this.#callOnDispose = callOnDispose;
  }
  dispose(): void {
    this.#callOnDispose();
  }
}

/**
 * Makes `require('@azure/functions-core')` yield the worker's API. To be called before any code of the app is loaded.
 *
 * @param without members that this worker lacks, for tests
 */
export function installCoreApi(
  registry: AppRegistry,
  hooks: HookRegistry,
  log: Logger,
  without: MissingMembers = NONE_MISSING,
): void {
  const coreApi = {
    version: '3.13.0',
    hostVersion: '4.1052.0',
    Disposable,
    log,
    setProgrammingModel(model: ProgrammingModel) {
      registry.programmingModel = model;
    },
    getProgrammingModel: () => registry.programmingModel && without.hide('ProgrammingModel', registry.programmingModel),
    registerHook: (name: HookName, callback: HookCallback) => new Disposable(hooks.register(name, callback)),
    registerFunction(metadata: FunctionMetadata, callback: FunctionCallback) {
      const id = metadata.functionId ?? metadata.name;
      if (registry.isMetadataServed) {
        throw new Error('A function can only be registered during app startup.');
      }
      if (registry.functions.has(id)) {
        throw new Error(`A function with id "${id}" has already been registered.`);
      }
      registry.functions.set(id, { id, metadata, callback });
      return new Disposable(() => registry.functions.delete(id));
    },
  };
  without.remove('@azure/functions-core', coreApi);
  const prototype: { require(this: unknown, id: string): unknown } = Module.prototype;
  const original = prototype.require;
  prototype.require = function (id) {
    return id === '@azure/functions-core' ? coreApi : Reflect.apply(original, this, [id]);
  };
}
