import { app } from '@azure/functions';
import { ServiceError } from '../shared/errors.ts';
import { formatCause } from '../shared/logging/mask.ts';
import { sourceLocation } from '../shared/logging/sourceLocation.ts';
import { errorResponse } from '../shared/server/response.ts';
import { toHttpResponse } from './toHttpResponse.ts';

/**
 * A handler that throws, or returns nothing, leaves its HTTP response open: the host would wait for it for minutes
 * (Azure/azure-functions-nodejs-library, issue 324). Behind every handler this hook puts an answer in Graph's shape.
 * The platform then counts the call as succeeded, so the failure is logged here.
 */
export function registerErrorFallback(): void {
  app.hook.postInvocation((hook) => {
    const { error, result, invocationContext } = hook;
    if (invocationContext.options.trigger.type !== 'httpTrigger') return; // Of others the host must see how they ended.
    if (isFailure(error) === false && typeof result === 'object' && result !== null) return;
    const ids = { requestId: invocationContext.invocationId, clientRequestId: invocationContext.invocationId };
    const cause = isFailure(error) ? formatCause(error) : 'The handler returned nothing.';
    const line = { event: 'request', code: 'InternalError', status: 500, cause, at: sourceLocation(error), ...ids };
    invocationContext.error(JSON.stringify(line));
    hook.error = undefined;
    hook.result = toHttpResponse(
      errorResponse(new ServiceError('InternalError', 'The proxy failed; the log has the reason.'), ids, new Date()),
    );
  });
}

function isFailure(error: unknown): boolean {
  return error !== undefined && error !== null;
}
