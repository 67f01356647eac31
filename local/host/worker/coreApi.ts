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

/** The loaded app. */
export interface AppRegistry {
  readonly functions: Map<string, RegisteredFunction>;
  programmingModel: ProgrammingModel | undefined;
  /** After the metadata was sent, a new function would never be called, so registering it fails. */
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
 * Makes `require('@azure/functions-core')` return the worker's API. It must run before any code of the app.
 *
 * @param without members that this worker does not have, for tests
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
      if (registry.isMetadataServed) throw new Error('A function can only be registered during app startup.');
      if (registry.functions.has(id)) throw new Error(`A function with id "${id}" has already been registered.`);
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

/**
 * The worker's own programming model, for an app that sets none. It calls a handler with the context first and uses its result
 * as the response (Azure/azure-functions-nodejs-worker: V3InvocationModel). It supports plain responses only.
 */
export const DEFAULT_MODEL: ProgrammingModel = {
  name: '@azure/functions',
  version: '3.5.1',
  getCapabilities: async (capabilities) => capabilities,
  getInvocationModel: ({ invocationId, request }) => ({
    getArguments: async () => ({ context: { invocationId }, inputs: request.inputData.map(({ data }) => data.http) }),
    invokeFunction: async (context, inputs, callback) => callback(context, ...inputs),
    getResponse: async (_context, result) => {
      const { status = 200, headers = {}, body = '' } = Object(result);
      const bytes = Buffer.from(String(body));
      return { returnValue: { http: { statusCode: String(status), headers: { ...headers }, body: { bytes } } } };
    },
  }),
};
