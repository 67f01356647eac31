/** The messages between the host process and its worker process, over the IPC channel of `child_process.fork`. */
export type HostMessage = ({ kind: 'invoke' } & InvocationRequest) | { kind: 'terminate' };

export type WorkerMessage =
  | ({ kind: 'started' } & StartedApp)
  | ({ kind: 'log' } & WorkerLog)
  | { kind: 'invocationEnded'; invocationId: string; outcome: InvocationOutcome };

export interface StartedApp {
  /** Of the app; a streaming app has `HttpUri`. */
  readonly capabilities: Readonly<Record<string, string>>;
  readonly functions: readonly FunctionMetadata[];
  /** The reason if the app could not be loaded. Then it has no functions. */
  readonly error?: string;
}

export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';
export type LogCategory = 'user' | 'system' | 'customMetric';

export interface WorkerLog {
  readonly level: LogLevel;
  readonly category: LogCategory;
  readonly message: string;
  readonly invocationId?: string;
}

/** Metadata as `@azure/functions` registers it: bindings by name, of which one is the trigger. */
export interface FunctionMetadata {
  readonly name: string;
  readonly functionId?: string;
  readonly bindings: Readonly<Record<string, Binding>>;
}

export interface Binding {
  readonly type: string;
  readonly direction?: string;
  readonly name?: string;
  readonly authLevel?: string;
  readonly methods?: readonly string[];
  readonly route?: string;
  readonly queueName?: string;
  readonly connection?: string;
}

/** The invocation request of the worker protocol (azure-functions-language-worker-protobuf), as far as HTTP and queues need it. */
export interface InvocationRequest {
  readonly invocationId: string;
  readonly functionId: string;
  readonly inputData: readonly { readonly name: string; readonly data: TypedData }[];
  readonly triggerMetadata: Readonly<Record<string, TypedData>>;
  readonly traceContext: {
    readonly traceParent: string;
    readonly traceState: string;
    readonly attributes: Readonly<Record<string, string>>;
  };
}

export interface TypedData {
  readonly string?: string;
  readonly json?: string;
  readonly bytes?: Uint8Array;
  readonly http?: HttpData;
}

export interface HttpData {
  readonly method: string;
  readonly url: string;
  readonly nullableHeaders: NullableMap;
  readonly nullableQuery: NullableMap;
  readonly nullableParams: NullableMap;
  readonly body?: TypedData;
}

export type NullableMap = Readonly<Record<string, { readonly value: string }>>;

/** The response of a buffered call, as `InvocationModel.getResponse` makes it. */
export interface BufferedResponse {
  readonly statusCode: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: TypedData | null;
}

/** `response` is absent if the handler returned nothing, or the app streams. */
export type InvocationOutcome =
  | { readonly kind: 'returned'; readonly response?: BufferedResponse }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'crashed' };

function hasKind(value: unknown, kinds: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && kinds.includes(String(value.kind));
}

export function isHostMessage(value: unknown): value is HostMessage {
  return hasKind(value, ['invoke', 'terminate']);
}

export function isWorkerMessage(value: unknown): value is WorkerMessage {
  return hasKind(value, ['started', 'log', 'invocationEnded']);
}
