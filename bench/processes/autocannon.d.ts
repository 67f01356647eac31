/** The part of autocannon (github.com/mcollina/autocannon) that the load generator uses; the package has no types. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events';

  namespace autocannon {
    interface Request {
      path: string;
    }

    interface Options {
      readonly url: string;
      readonly connections: number;
      /** Seconds; without effect if there is an `amount`. */
      readonly duration?: number;
      /** Total number of requests, instead of a duration. */
      readonly amount?: number;
      /** Milliseconds. */
      readonly sampleInt?: number;
      readonly requests: readonly {
        readonly method: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly body: string;
        readonly setupRequest: (request: Request) => Request;
      }[];
    }

    interface Result {
      readonly '2xx': number;
      readonly non2xx: number;
      readonly errors: number;
      readonly timeouts: number;
      /** Seconds. */
      readonly duration: number;
    }

    interface Instance extends EventEmitter, PromiseLike<Result> {}
  }

  function autocannon(options: autocannon.Options): autocannon.Instance;
  export default autocannon;
}
