import { InvocationContext } from '@azure/functions';
import {
  type CoreInvocationContext,
  getProgrammingModel,
  type InvocationModel,
  setProgrammingModel,
} from '@azure/functions-core';
import type { ProxiedRequests } from '../shared/request/proxiedRequests.ts';

/**
 * Puts the pairing of invocations and HTTP requests before the library's own waiting, and the reading away of bodies behind
 * every answer. To be called after the functions are registered: the library sets its model with the first of them.
 */
export function pairInvocations(requests: ProxiedRequests): void {
  const model = getProgrammingModel();
  setProgrammingModel({
    name: model.name,
    version: model.version,
    getCapabilities: (capabilities) => model.getCapabilities(capabilities),
    getInvocationModel(core) {
      const inner = model.getInvocationModel(core);
      return isHttp(core) ? paired(core, inner, requests) : inner;
    },
  });
}

function isHttp({ metadata }: CoreInvocationContext): boolean {
  return Object.values(metadata.bindings ?? {}).some(({ type }) => /^httpTrigger$/i.test(type ?? ''));
}

/** One invocation. Without a request it ends at once and as a success: a failure would break off a stray request's answer. */
function paired(core: CoreInvocationContext, inner: InvocationModel, requests: ProxiedRequests): InvocationModel {
  const { invocationId } = core;
  let isAlone = false;
  return {
    async getArguments() {
      isAlone = (await requests.requestOf(invocationId)) === undefined;
      if (isAlone) return { context: loneContext(core), inputs: [] };
      hideForgedHead(core);
      return inner.getArguments();
    },
    async invokeFunction(context, inputs, callback) {
      return isAlone ? {} : inner.invokeFunction(context, inputs, callback);
    },
    async getResponse(context, result) {
      if (isAlone) return { invocationId, outputData: [] };
      try {
        return await inner.getResponse(context, result);
      } finally {
        requests.end(invocationId);
      }
    },
  };
}

/**
 * The library builds its own request from trigger metadata, into which the host has mixed members of the body: a name there
 * that is none of a header's would make it throw. Nothing of the app reads those headers (incomingRequest.ts).
 */
function hideForgedHead({ request: { triggerMetadata } }: CoreInvocationContext): void {
  if (triggerMetadata) triggerMetadata['Headers'] = { json: '{}' };
}

function loneContext(core: CoreInvocationContext): InvocationContext {
  const { invocationId, metadata } = core;
  core.log('warning', 'user', JSON.stringify({ event: 'requestLost', requestId: invocationId }));
  return new InvocationContext({ invocationId, functionName: metadata.name ?? '' });
}
