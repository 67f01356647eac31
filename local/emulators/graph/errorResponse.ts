import type { ActiveError } from '../errors/errorPlan.ts';
import type { ErrorBehaviour } from '../errors/namedErrors.ts';
import {
  bareError,
  type CallIds,
  type GraphResponse,
  graphError,
  graphHeaders,
  uploadHostError,
} from './graphResponse.ts';

/** Whose shape errors have. */
export type Speaker = 'graph' | 'uploadHost';

export type Replacing = Extract<ErrorBehaviour, { kind: 'error' | 'replace' | 'redirect' }>;

/** The answer of a fault that stands in place of the right one. */
export function replacement(
  ids: CallIds,
  behaviour: Replacing,
  speaker: Speaker,
  headers: Record<string, string>,
): GraphResponse {
  switch (behaviour.kind) {
    case 'error': {
      const { status, code, message, withoutInnerError = false } = behaviour;
      if (withoutInnerError) return bareError(ids, status, code, message);
      return speaker === 'graph'
        ? graphError(ids, status, code, message, headers)
        : uploadHostError(ids, status, code, message, { headers });
    }
    case 'redirect':
      return { status: 302, headers: { ...graphHeaders(ids), Location: behaviour.location }, body: '' };
    case 'replace': {
      const { status, contentType, body, fromGraph } = behaviour;
      const type = body === '' ? {} : { 'Content-Type': contentType ?? 'application/json' };
      return { status, headers: { ...(fromGraph ? graphHeaders(ids) : {}), ...type, ...headers }, body };
    }
  }
}

export function retryAfterHeader({ retryAfter, behaviour }: ActiveError, now: number): Record<string, string> {
  const value = retryAfter ?? (behaviour.kind === 'error' ? behaviour.retryAfter : undefined);
  if (value === undefined || value === 'none') return {};
  if (value === 'garbage') return { 'Retry-After': 'soon' };
  // HTTP dates have whole seconds: rounded up, so that the moment lies ahead.
  if (value === 'date') return { 'Retry-After': new Date(Math.ceil(now / 1000) * 1000 + 2000).toUTCString() };
  return { 'Retry-After': value };
}

export function withHeader(answer: GraphResponse, name: string, value: string): GraphResponse {
  return { ...answer, headers: { ...answer.headers, [name]: value } };
}

/** The right answer in another of the shapes that clients have met. */
export function reshape(answer: GraphResponse, as: 'pascalCase' | 'value'): GraphResponse {
  if (answer.status >= 300 || answer.body === '') return answer;
  const body: Record<string, unknown> = JSON.parse(answer.body);
  const { '@odata.context': context, ...members } = body;
  const shaped =
    as === 'value'
      ? { value: members }
      : {
          '@odata.context': context,
          ...Object.fromEntries(Object.entries(members).map(([name, value]) => [upperFirst(name), value])),
        };
  return { ...answer, body: JSON.stringify(shaped) };
}

function upperFirst(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
