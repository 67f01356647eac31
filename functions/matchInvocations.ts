import { InvocationContext } from '@azure/functions';
import type { CoreApi, CoreInvocationContext, InvocationModel, ProgrammingModel } from '@azure/functions-core';
import type { MatchedRequest, RequestMatcher } from '../shared/server/requestMatcher.ts';
import { platformNotSupported } from './platform.ts';
import { sendResponse } from './sendResponse.ts';
import { missingInInvocation } from './workerApi.ts';

export interface MatchingOptions {
  readonly requests: RequestMatcher;
  /** Starts the app's HTTP server and returns its URL, to which the host forwards requests. */
  startServer(): Promise<string>;
  /** Called once the app has answered all that loading asks of it. */
  onLoaded(): void;
  /** Takes the names of what is missing in an invocation. */
  reportMissing(members: readonly string[]): void;
}

/**
 * Replaces the library's programming model by one that names the app's own HTTP server as the place of HTTP requests, and
 * pairs invocations with the requests that arrive there. The library's own streaming stays off: its server listens on all
 * interfaces and waits for requests without limit.
 *
 * @param model the library's; it must have been set, which the library does when the first function is registered
 */
export function matchInvocations(core: CoreApi, model: ProgrammingModel, options: MatchingOptions): void {
  const { requests } = options;
  let isShapeKnown = true;

  function closeApp(missing: readonly string[]): void {
    if (isShapeKnown) options.reportMissing(missing);
    isShapeKnown = false;
    requests.refuseAll(platformNotSupported());
  }

  core.setProgrammingModel({
    name: model.name,
    version: model.version,
    async getCapabilities(capabilities) {
      const answered = await model.getCapabilities(capabilities);
      const url = await options.startServer();
      options.onLoaded();
      return { ...answered, HttpUri: url };
    },
    getInvocationModel(invocation) {
      const missing = missingInInvocation(invocation);
      if (missing.length > 0) closeApp(missing);
      if (!isHttp(invocation)) return model.getInvocationModel(invocation);
      return missing.length > 0
        ? unanswered(invocation)
        : matched(invocation, model.getInvocationModel(withoutRequest(invocation)), requests);
    },
  });
}

function isHttp({ metadata }: CoreInvocationContext): boolean {
  return Object.values(metadata?.bindings ?? {}).some(({ type }) => /^httpTrigger$/i.test(type ?? ''));
}

/**
 * What the library sees of an invocation: its context, and nothing of its request. It would build a `Request` from the
 * message, into which the host has mixed members of the body; the app reads the request that arrived at its own server.
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
function matched(core: CoreInvocationContext, inner: InvocationModel, requests: RequestMatcher): InvocationModel {
  const { invocationId } = core;
  let request: MatchedRequest | undefined;
  return {
    async getArguments() {
      request = await requests.requestOf(invocationId, () => callersOwnId(core));
      if (request === undefined) return { context: unmatchedContext(core), inputs: [] };
      const { context } = await inner.getArguments();
      return { context, inputs: [{ params: routeParameters(core) }] };
    },
    async invokeFunction(context, inputs, callback) {
      return request === undefined ? {} : inner.invokeFunction(context, inputs, callback);
    },
    async getResponse(_context, result) {
      try {
        if (request !== undefined) sendResponse(request.response, invocationId, result);
      } finally {
        requests.end(invocationId);
      }
      return { invocationId, outputData: [] };
    },
  };
}

/** Calls no handler, and succeeds as far as the host knows: if it failed, the host would drop the 503 of its HTTP request. */
function unanswered({ invocationId }: CoreInvocationContext): InvocationModel {
  return {
    getArguments: async () => ({ context: new InvocationContext({ invocationId }), inputs: [] }),
    invokeFunction: async () => ({}),
    getResponse: async () => ({ invocationId, outputData: [] }),
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

function unmatchedContext(core: CoreInvocationContext): InvocationContext {
  const { invocationId, metadata } = core;
  core.log('warning', 'user', JSON.stringify({ event: 'unmatchedInvocation', requestId: invocationId }));
  return new InvocationContext({ invocationId, functionName: metadata?.name ?? '' });
}
