import { HttpRequest, InvocationContext, type LogLevel, type TraceContext } from '@azure/functions';
import { compilePolicy, type Policy, type PolicyEntry } from '../../shared/caller/policy.ts';
import { type Config, parseConfig } from '../../shared/config/config.ts';
import type { Environment } from '../../shared/config/readSettings.ts';
import type { Deadline } from '../../shared/deadline.ts';
import type { ServiceError } from '../../shared/errors.ts';
import type { UpstreamAnswer } from '../../shared/graph/exchange.ts';
import type { RequestHead } from '../../shared/requestHead.ts';

export const REQUEST_ID = '5b2f4a9e-1c7d-4f63-9a18-0d3e6c5b7a21';
export const CLIENT_REQUEST_ID = '0c9a7be3-52d4-4d0e-8f86-2b1f3a4c5d6e';
export const APP_ID = '1f6c3a52-9d0b-4e7f-8a63-5b4c2d1e0f97';
export const USER_ID = '87d349ed-44d7-43e1-9a83-5f2406dee5bd';
export const TENANT_ID = 'c0ffee00-7e57-4ab1-9d2c-3f4e5a6b7c8d';

/** A body that passes every rule for a message. */
export const VALID_BODY = { AttachmentItem: { attachmentType: 'file', name: 'flower.jpg', size: 3_483_322 } };

/** An uploadSession as Graph writes it. */
export const SESSION_BODY = JSON.stringify({
  '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.uploadSession',
  uploadUrl: "https://outlook.office.com/api/v2.0/Users('a')/Messages('b')/AttachmentSessions('c')?authtoken=d",
  expirationDateTime: '2026-11-23T12:00:00.0000000Z',
  nextExpectedRanges: ['0-'],
});

export interface RequestParts {
  readonly method?: string;
  /** Below the route prefix, decoded, as the platform hands it over. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array> | null;
}

/** A POST with a JSON body, unless the parts say otherwise. */
export function httpRequest(parts: RequestParts = {}): HttpRequest {
  const { method = 'POST', path = '', headers = { 'content-type': 'application/json' }, body = '{}' } = parts;
  const request = new HttpRequest({
    method,
    url: 'https://proxy.example/api/any',
    headers: { ...headers },
    params: { path },
  });
  const stream =
    typeof body === 'string' ? bodyOf(Buffer.from(body)) : body instanceof Uint8Array ? bodyOf(body) : body;
  Object.defineProperty(request, 'body', { value: stream });
  return request;
}

/** A stream of these chunks, ended after the last. */
export function bodyOf(...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return ReadableStream.from(chunks);
}

export interface LoggedContext {
  readonly context: InvocationContext;
  readonly lines: { readonly level: LogLevel; readonly text: string }[];
}

/** An invocation whose log lines are kept. */
export function invocation(traceContext?: TraceContext): LoggedContext {
  const lines: LoggedContext['lines'] = [];
  const context = new InvocationContext({
    invocationId: REQUEST_ID,
    functionName: 'any',
    logHandler: (level, ...args) => lines.push({ level, text: args.join(' ') }),
    ...(traceContext && { traceContext }),
  });
  return { context, lines };
}

export const HEAD: RequestHead = {
  requestId: REQUEST_ID,
  clientRequestId: CLIENT_REQUEST_ID,
  wantsImmutableIds: false,
  traceParent: undefined,
  workflowRunId: undefined,
};

/** A deadline that passes only when the test says so. */
export function openDeadline(remainingMs = 30_000): Deadline & { pass(reason: ServiceError): void } {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    remainingMs: () => remainingMs,
    cancel: () => controller.abort(),
    end: () => {},
    pass: (reason) => controller.abort(reason),
  };
}

/** One caller's entry: an app that may do everything to no mailbox, unless the members say otherwise. */
export function policyEntry(members: Partial<PolicyEntry> = {}): PolicyEntry {
  const caller = members.functionKey === true ? {} : { appId: APP_ID };
  return { name: 'newsletter', kinds: ['message', 'event', 'todoTask', 'outlookTask', 'post'], ...caller, ...members };
}

export function policyOf(members: Partial<PolicyEntry> = {}, meMailbox?: string): Policy {
  return compilePolicy({ callers: [policyEntry(members)] }, { meMailbox, uploadUrl: 'graph' });
}

/** The configuration that these settings give; they must be valid. */
export function configOf(environment: Environment = {}): Config {
  const result = parseConfig(environment);
  if (result.kind === 'faulty') throw new Error(`Faulty settings: ${JSON.stringify(result.faults)}`);
  return result.config;
}

export function upstreamAnswer(status: number, body = '', headers: Record<string, string> = {}): UpstreamAnswer {
  return { status, headers, body };
}

/** What the function throws; a failure of the test if it throws nothing. */
export function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown.');
}

/** Lets every promise that can settle without a timer do so. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
