import type { CoreApi, CoreInvocationContext, ProgrammingModel } from '@azure/functions-core';

// The worker's API is documented as types only (Azure/azure-functions-nodejs-worker, types-core), so each part that the app
// relies on is checked before it is used. Each checker returns the names of the missing members, none if all are there.

/** `registerFunction` and `registerHook` are called by the Functions library. */
const API_MEMBERS = {
  getProgrammingModel: 'function',
  setProgrammingModel: 'function',
  registerFunction: 'function',
  registerHook: 'function',
};
const MODEL_MEMBERS = {
  name: 'string',
  version: 'string',
  getInvocationModel: 'function',
  getCapabilities: 'function',
};
const INVOCATION_MEMBERS = { invocationId: 'string', request: 'object', metadata: 'object', log: 'function' };

/** @param api the module `@azure/functions-core` */
export function missingInApi(api: unknown): readonly string[] {
  return missing('@azure/functions-core', api, API_MEMBERS);
}

export function isCoreApi(api: unknown): api is CoreApi {
  return missingInApi(api).length === 0;
}

/**
 * The library sets its programming model before it registers a function, so without this member it could register none. With
 * one that does nothing the functions run under the model that the worker brings along, and can answer 503.
 */
export function provideSetProgrammingModel(api: unknown): void {
  if (isPresent(api) && Reflect.get(api, 'setProgrammingModel') === undefined) {
    Object.assign(api, { setProgrammingModel: () => undefined });
  }
}

export function missingInModel(model: unknown): readonly string[] {
  return missing('ProgrammingModel', model, MODEL_MEMBERS);
}

export function isProgrammingModel(model: unknown): model is ProgrammingModel {
  return missingInModel(model).length === 0;
}

export function missingInInvocation(invocation: CoreInvocationContext): readonly string[] {
  return missing('CoreInvocationContext', invocation, INVOCATION_MEMBERS);
}

function missing(owner: string, value: unknown, members: Readonly<Record<string, string>>): readonly string[] {
  if (!isPresent(value)) return [owner];
  return Object.entries(members)
    .filter(([name, type]) => {
      const member: unknown = Reflect.get(value, name);
      return type === 'object' ? !isPresent(member) : typeof member !== type;
    })
    .map(([name]) => `${owner}.${name}`);
}

function isPresent(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
