import type { ActiveError } from '../errors/errorPlan.ts';
import type { ErrorBehaviour } from '../errors/namedErrors.ts';
import {
  type CallIds,
  errorResponse,
  GraphError,
  type GraphResponse,
  graphHeaders,
  type Service,
} from './graphResponse.ts';

type Replacing = Extract<ErrorBehaviour, { kind: 'error' | 'replace' | 'redirect' }>;
type Altering = Extract<ErrorBehaviour, { kind: 'header' | 'reshape' }>;

/** The response of an error that replaces the normal one. */
export function replacement(
  ids: CallIds,
  service: Service,
  behaviour: Replacing,
  { retryAfter }: ActiveError,
): GraphResponse {
  switch (behaviour.kind) {
    case 'error': {
      const { status, code, message, withoutInnerError: isBare = false } = behaviour;
      const headers = retryAfterHeader(ids, retryAfter ?? behaviour.retryAfter);
      return errorResponse(ids, service, new GraphError(status, code, message, { headers, isBare }));
    }
    case 'redirect':
      return { status: 302, headers: { ...graphHeaders(ids), Location: behaviour.location }, body: '' };
    case 'replace': {
      const { status, contentType = 'application/json', body, fromGraph } = behaviour;
      const type = body === '' ? {} : { 'Content-Type': contentType };
      const headers = { ...(fromGraph && graphHeaders(ids)), ...type, ...retryAfterHeader(ids, retryAfter) };
      return { status, headers, body };
    }
  }
}

function retryAfterHeader({ date }: CallIds, value: string | undefined): Record<string, string> {
  if (value === undefined || value === 'none') return {};
  if (value === 'garbage') return { 'Retry-After': 'soon' };
  // HTTP dates have whole seconds: rounded up, so that the date is in the future.
  if (value === 'date')
    return { 'Retry-After': new Date(Math.ceil(date.getTime() / 1000) * 1000 + 2000).toUTCString() };
  return { 'Retry-After': value };
}

/** The normal response with another header, or in another of the shapes that clients have met. */
export function altered(response: GraphResponse, behaviour: Altering): GraphResponse {
  if (behaviour.kind === 'header') {
    return { ...response, headers: { ...response.headers, [behaviour.name]: behaviour.value } };
  }
  if (response.status >= 300 || response.body === '') return response;
  const body: Record<string, unknown> = JSON.parse(response.body);
  const { '@odata.context': context, ...members } = body;
  const renamed = Object.entries(members).map(([name, value]) => [name.charAt(0).toUpperCase() + name.slice(1), value]);
  const shaped =
    behaviour.as === 'value' ? { value: members } : { '@odata.context': context, ...Object.fromEntries(renamed) };
  return { ...response, body: JSON.stringify(shaped) };
}
