import { Readable } from 'node:stream';
import { InvocationContext, type LogLevel, type TraceContext } from '@azure/functions';
import { compilePolicy, type Policy, type PolicyEntry } from '../../shared/access/policy.ts';
import type { Deadline } from '../../shared/common/deadline.ts';
import { type Config, parseConfig } from '../../shared/config/config.ts';
import type { Environment } from '../../shared/config/readSettings.ts';
import type { ServiceError } from '../../shared/errors.ts';
import type { GraphResponse } from '../../shared/graph/graphResponse.ts';
import { createRequestBody } from '../../shared/server/body.ts';
import type { IncomingRequest } from '../../shared/server/request.ts';
import type { RequestInfo } from '../../shared/server/requestInfo.ts';

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
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array> | null;
}

/** A POST with a JSON body, unless the parts say otherwise. */
export function incomingRequest(parts: RequestParts = {}): IncomingRequest {
  const { method = 'POST', headers = { 'content-type': 'application/json' }, body = '{}' } = parts;
  const source = typeof body === 'string' ? Buffer.from(body) : body;
  const readable = source === null ? Readable.from([]) : Readable.from(isBytes(source) ? [source] : source);
  const message = Object.assign(readable, { headers: { ...headers }, complete: false });
  return {
    method,
    url: new URL(parts.url ?? 'https://proxy.example/api/any'),
    headers: { get: (name) => headers[name] ?? null },
    body: createRequestBody(message, { writeContinue: () => {} }),
    onCallerGone: () => () => {},
  };
}

function isBytes(source: Uint8Array | AsyncIterable<Uint8Array>): source is Uint8Array {
  return source instanceof Uint8Array;
}

/** A stream of these chunks, ended after the last. */
export async function* bodyOf(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
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

export const INFO: RequestInfo = {
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

export function upstreamAnswer(status: number, body = '', headers: Record<string, string> = {}): GraphResponse {
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
