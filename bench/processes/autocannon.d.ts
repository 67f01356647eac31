/** The part of autocannon (github.com/mcollina/autocannon) that load.ts uses; the package has no types. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events';

  interface Options {
    readonly url: string;
    readonly connections: number;
    /** Seconds; without effect if there is an `amount` of requests. */
    readonly duration?: number;
    readonly amount?: number;
    /** Milliseconds. */
    readonly sampleInt: number;
    readonly requests: readonly {
      readonly method: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      readonly setupRequest: (request: { path: string }) => { path: string };
    }[];
  }

  /** `duration` is in seconds. */
  type Result = Readonly<Record<'2xx' | 'non2xx' | 'errors' | 'timeouts' | 'duration', number>>;

  export default function autocannon(options: Options): EventEmitter & PromiseLike<Result>;
}
