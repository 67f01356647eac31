import type { MiddlewareOptions } from '@microsoft/microsoft-graph-client';

/** What Graph sent, its body whole and bounded. */
export interface GraphResponse {
  readonly status: number;
  /** Lower-case names; a repeated header is joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What one attempt came to: an answer, or a connection that failed before Graph began to answer or in the middle of it. */
export type AttemptResult =
  | { readonly kind: 'answer'; readonly answer: GraphResponse }
  | { readonly kind: 'failed'; readonly phase: 'beforeAnswer' | 'inAnswer'; readonly cause: unknown };

/**
 * One attempt at Graph: handed to the SDK as a per-request middleware option, filled in by the HTTP handler. The SDK
 * gives a raw answer through untouched, so no Response object is built for it, and failures keep their cause, which the
 * SDK's own error drops.
 */
export class GraphAttempt implements MiddlewareOptions {
  readonly signal: AbortSignal;
  result: AttemptResult | undefined;
  /** Settles once the attempt holds nothing at Graph any more: one that is given up still does until its connection is gone. */
  released: Promise<void> = Promise.resolve();

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }
}
