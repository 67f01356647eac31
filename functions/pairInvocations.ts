import { InvocationContext } from '@azure/functions';
import {
  type CoreInvocationContext,
  getProgrammingModel,
  type InvocationModel,
  setProgrammingModel,
} from '@azure/functions-core';
import type { ProxiedRequest, ProxiedRequests } from '../shared/request/proxiedRequests.ts';
import { sendAnswer } from './sendAnswer.ts';

/**
 * Puts the app's own pairing of invocations and HTTP requests in place of the library's, and the reading away of bodies behind
 * every answer. To be called after the functions are registered: the library sets its model with the first of them.
 *
 * @param onLoaded called when the app has answered all that loading asks of it
 */
export function pairInvocations(requests: ProxiedRequests, onLoaded: () => void): void {
  const model = getProgrammingModel();
  setProgrammingModel({
    name: model.name,
    version: model.version,
    async getCapabilities(capabilities) {
      const answered = await model.getCapabilities(capabilities);
      onLoaded();
      return answered;
    },
    getInvocationModel: (core) =>
      isHttp(core)
        ? paired(core, model.getInvocationModel(withoutRequest(core)), requests)
        : model.getInvocationModel(core),
  });
}

function isHttp({ metadata }: CoreInvocationContext): boolean {
  return Object.values(metadata.bindings ?? {}).some(({ type }) => /^httpTrigger$/i.test(type ?? ''));
}

/**
 * What the library sees of an invocation: its context, and nothing of its request. It would build a `Request` with a web stream
 * from trigger metadata, into which the host has mixed members of the body; the app reads the worker's own HTTP request.
 */
function withoutRequest(core: CoreInvocationContext): CoreInvocationContext {
  return {
    invocationId: core.invocationId,
    request: { ...core.request, triggerMetadata: {}, inputData: [] },
    metadata: core.metadata,
    get state() {
      return core.state;
    },
    log: (level, category, message) => core.log(level, category, message),
  };
}

/** One invocation. Without a request it ends at once and as a success: a failure would break off a stray request's answer. */
function paired(core: CoreInvocationContext, inner: InvocationModel, requests: ProxiedRequests): InvocationModel {
  const { invocationId } = core;
  let request: ProxiedRequest | undefined;
  return {
    async getArguments() {
      request = await requests.requestOf(invocationId, () => callersOwnId(core));
      if (request === undefined) return { context: loneContext(core), inputs: [] };
      const { context } = await inner.getArguments();
      return { context, inputs: [{ params: routeParameters(core) }] };
    },
    async invokeFunction(context, inputs, callback) {
      return request === undefined ? {} : inner.invokeFunction(context, inputs, callback);
    },
    async getResponse(_context, result) {
      try {
        if (request !== undefined) sendAnswer(request.response, invocationId, result);
      } finally {
        requests.end(invocationId);
      }
      return { invocationId, outputData: [] };
    },
  };
}

/** The `x-ms-invocation-id` among the headers that the host says the caller sent; the host's own is never there. */
function callersOwnId({ request: { triggerMetadata } }: CoreInvocationContext): string | undefined {
  return /"x-ms-invocation-id":\s*"([^"\\]*)"/i.exec(triggerMetadata?.['Headers']?.json ?? '')?.[1];
}

/** All that the handlers take of the library's request; with members of body and query among them (routeParameter.ts). */
function routeParameters({ request: { triggerMetadata } }: CoreInvocationContext): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const [name, value] of Object.entries(triggerMetadata ?? {})) {
    if (typeof value?.string === 'string') parameters[name] = value.string;
  }
  return parameters;
}

function loneContext(core: CoreInvocationContext): InvocationContext {
  const { invocationId, metadata } = core;
  core.log('warning', 'user', JSON.stringify({ event: 'requestLost', requestId: invocationId }));
  return new InvocationContext({ invocationId, functionName: metadata.name ?? '' });
}
