import type { FunctionMetadata } from '../../local/host/messages.ts';

/** A command to a child process. The child sends one reply of the same kind. */
export type Command =
  | { readonly kind: 'load'; readonly load: Load }
  | { readonly kind: 'send'; readonly transfer: Transfer }
  | { readonly kind: 'serve'; readonly called: CalledFunctions }
  | { readonly kind: 'usage' };

export type Reply =
  | ({ readonly kind: 'upstreamReady' } & Upstream)
  /** `channelAddress` is where the worker opens its event stream. */
  | ({ readonly kind: 'hostReady'; readonly channelAddress: string } & Server)
  | { readonly kind: 'loadReady' }
  /** `loadMs` is the time from the start of loading the app until all functions are registered. */
  | { readonly kind: 'workerReady'; readonly called: CalledFunctions; readonly loadMs: number }
  | ({ readonly kind: 'load' } & LoadResult)
  | { readonly kind: 'send'; readonly seconds: number }
  | { readonly kind: 'serve' }
  | ({ readonly kind: 'usage' } & Usage);

export interface Server {
  /** The origin. */
  readonly url: string;
  readonly pathPrefix: string;
}

/** Calls of createUploadSession. */
export interface Load {
  readonly server: Server;
  readonly connections: number;
  readonly length: { readonly seconds: number } | { readonly requests: number };
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
}

/** Files to send at once, each by its own sender. */
export interface Transfer {
  readonly server: Server;
  /** Ranges go to an upload session of the server, or `straight` to the upload host. */
  readonly way: 'attach' | 'ranges' | 'straight';
  readonly isChunked: boolean;
  readonly fileBytes: number;
  readonly files: number;
}

/** The functions that the host sends requests to. */
export interface CalledFunctions {
  readonly metadata: readonly FunctionMetadata[];
  /** The URL at which a streaming app receives the HTTP requests; absent in buffered mode. */
  readonly httpUri?: string;
}

export interface Upstream {
  readonly graphUrl: string;
  /** File with the certificate authority of the Graph server. */
  readonly caPath: string;
  readonly identityEnv: Readonly<Record<string, string>>;
}

/** What the app's process has used since it started. */
export interface Usage {
  readonly cpuMs: number;
  readonly invocations: number;
  /** From the start of loading to the first response. */
  readonly firstResponseMs: number;
  readonly peakMemoryMib: number;
}

export function isCommand(value: unknown): value is Command {
  return ['load', 'send', 'serve', 'usage'].some((kind) => isMessage(value, kind));
}

/** Checks the kind only, because both sides are files of this folder. */
export function isReply<K extends Reply['kind']>(value: unknown, kind: K): value is Extract<Reply, { kind: K }> {
  return isMessage(value, kind);
}

function isMessage(value: unknown, kind: string): boolean {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;
}
