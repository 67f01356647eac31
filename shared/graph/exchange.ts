import { GraphClientError, type MiddlewareOptions } from '@microsoft/microsoft-graph-client';

/** What Graph sent, its body whole and bounded. */
export interface UpstreamAnswer {
  readonly status: number;
  /** Lower-case names; a repeated header is joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * One attempt at Graph: handed to the SDK as a per-request middleware option, filled in by the HTTP handler. The SDK
 * gives a raw answer through untouched, so no Response object is built for it.
 */
export class Exchange implements MiddlewareOptions {
  readonly signal: AbortSignal;
  answer: UpstreamAnswer | undefined;

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }
}

/** The connection failed, before Graph began to answer or in the middle of it. The SDK lets its own error class through as it is. */
export class TransportError extends GraphClientError {
  readonly phase: 'beforeAnswer' | 'inAnswer';

  constructor(phase: TransportError['phase'], cause: unknown) {
    super(`The connection to Graph failed ${phase === 'beforeAnswer' ? 'before' : 'within'} its answer.`);
    this.phase = phase;
    this.cause = cause;
  }
}
