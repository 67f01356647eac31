import type { FunctionMetadata } from '../local/host/messages.ts';

/** What a child process of the benchmark is asked; it answers each with one message of the same kind. */
export type Ask =
  | { readonly kind: 'run'; readonly load: Load }
  | { readonly kind: 'send'; readonly transfer: Transfer }
  | { readonly kind: 'firstBytes' }
  | { readonly kind: 'serve'; readonly called: CalledFunctions }
  | { readonly kind: 'usage' }
  | { readonly kind: 'end' };

/** A load to generate. */
export interface Load {
  readonly server: Server;
  readonly connections: number;
  readonly length: { readonly seconds: number } | { readonly requests: number };
  /** How many mailboxes the requests go to, in turn. */
  readonly mailboxes: number;
}

/** Files to send. */
export interface Transfer {
  readonly server: Server;
  /** Of `upload`: through a session that the server opens, or at once. `put` sends the ranges of nobody's session. */
  readonly way: 'ranges' | 'attach' | 'putRanges' | 'putWhole';
  readonly fileBytes: number;
  readonly rangeBytes: number;
  readonly isChunked: boolean;
  /** As many files, each by a sender of its own, at once. */
  readonly files: number;
}

export interface Server {
  /** Its origin. */
  readonly url: string;
  readonly pathPrefix: string;
}

/** The functions that the host sends requests to. */
export interface CalledFunctions {
  readonly metadata: readonly FunctionMetadata[];
  /** Where a streaming app takes the requests themselves; absent in buffered mode. */
  readonly httpUri?: string;
}

export type Answer =
  | ({ readonly kind: 'started' } & StartedApp)
  | ({ readonly kind: 'upstreamReady' } & Upstream)
  | { readonly kind: 'loadReady' }
  | ({ readonly kind: 'hostReady' } & Host)
  | { readonly kind: 'serve' }
  | ({ readonly kind: 'run' } & LoadResult)
  | ({ readonly kind: 'send' } & SendResult)
  | { readonly kind: 'firstBytes'; readonly epochMs: readonly number[] }
  | ({ readonly kind: 'usage' } & Usage);

export interface StartedApp {
  readonly called: CalledFunctions;
  /** From the start of loading the app until all functions are registered and the capabilities answered. */
  readonly loadMs: number;
}

export interface Upstream {
  readonly graphUrl: string;
  /** File with the certificate authority of the Graph server. */
  readonly caPath: string;
  readonly identityEnv: Readonly<Record<string, string>>;
}

export interface Host extends Server {
  /** Where the worker opens its event stream. */
  readonly channelAddress: string;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx, failed connections and timeouts. */
  readonly failures: number;
}

export interface SendResult {
  /** From the first byte sent to the last answer. */
  readonly seconds: number;
  /** When each request began, in the order of the requests. */
  readonly startedAtEpochMs: readonly number[];
  readonly failures: readonly string[];
}

/** What the app's process has used since it started. */
export interface Usage {
  readonly cpuMs: number;
  readonly answered: number;
  /** From the start of loading until the first invocation was answered. */
  readonly firstResponseMs: number;
  readonly peakMemoryMb: number;
}

export function isAsk(value: unknown): value is Ask {
  return hasKind(value, ['run', 'send', 'firstBytes', 'serve', 'usage', 'end']);
}

export function isAnswer<K extends Answer['kind']>(value: unknown, kind: K): value is Extract<Answer, { kind: K }> {
  return hasKind(value, [kind]);
}

function hasKind(value: unknown, kinds: readonly string[]): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    typeof value.kind === 'string' &&
    kinds.includes(value.kind)
  );
}
