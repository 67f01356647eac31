import { app, type HttpFunctionOptions, type HttpHandler } from '@azure/functions';
import { ServiceError } from '../shared/errors.ts';
import { errorResponse } from '../shared/server/response.ts';
import { toHttpResponse } from './toHttpResponse.ts';

/** What the app needs of the platform, and whether it is there. */
export interface Platform {
  /** `app.http` of the library. Once something is missing, the handler is not called and the function answers 503. */
  readonly http: (name: string, options: HttpFunctionOptions) => void;
  /** Closes the app to HTTP requests and logs the names of what is missing. An empty list changes nothing. */
  reportMissing(members: readonly string[]): void;
}

/** @param log writes one line of the app's own log */
export function createPlatform(log: (line: string) => void): Platform {
  let isSupported = true;
  return {
    http(name, options) {
      const handler: HttpHandler = (request, context) => (isSupported ? options.handler(request, context) : refuse());
      app.http(name, { ...options, handler });
    },
    reportMissing(members) {
      if (members.length === 0) return;
      isSupported = false;
      log(JSON.stringify({ event: 'platformNotSupported', missing: members }));
    },
  };
}

export function platformNotSupported(): ServiceError {
  const message = "The proxy does not run on this version of the Functions platform; the operator's log says why.";
  return new ServiceError('PlatformNotSupported', message);
}

/** Uses neither argument of a handler: another programming model than the library's may pass them in another order. */
function refuse() {
  const requestId = crypto.randomUUID();
  return toHttpResponse(errorResponse(platformNotSupported(), { requestId, clientRequestId: requestId }, new Date()));
}
