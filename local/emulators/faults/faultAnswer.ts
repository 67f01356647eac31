import {
  type Answer,
  bareError,
  type CallIds,
  graphError,
  graphHeaders,
  uploadHostError,
} from '../graph/graphAnswer.ts';
import type { ActiveFault } from './faultPlan.ts';
import type { FaultBehaviour } from './faults.ts';

/** Whose shape errors have. */
export type Speaker = 'graph' | 'uploadHost';

export type Replacing = Extract<FaultBehaviour, { kind: 'error' | 'replace' | 'redirect' }>;

/** The answer of a fault that stands in place of the right one. */
export function replacement(
  ids: CallIds,
  behaviour: Replacing,
  speaker: Speaker,
  headers: Record<string, string>,
): Answer {
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

export function retryAfterHeader({ retryAfter, behaviour }: ActiveFault, now: number): Record<string, string> {
  const value = retryAfter ?? (behaviour.kind === 'error' ? behaviour.retryAfter : undefined);
  if (value === undefined || value === 'none') return {};
  if (value === 'garbage') return { 'Retry-After': 'soon' };
  // HTTP dates have whole seconds: rounded up, so that the moment lies ahead.
  if (value === 'date') return { 'Retry-After': new Date(Math.ceil(now / 1000) * 1000 + 2000).toUTCString() };
  return { 'Retry-After': value };
}

export function withHeader(answer: Answer, name: string, value: string): Answer {
  return { ...answer, headers: { ...answer.headers, [name]: value } };
}

/** The right answer in another of the shapes that clients have met. */
export function reshape(answer: Answer, as: 'pascalCase' | 'value'): Answer {
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
