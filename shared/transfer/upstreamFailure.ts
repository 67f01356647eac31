import type { UpstreamAnswer } from '../graph/exchange.ts';

/** An answer of Graph that ends a transfer's request, and may be relayed: throttled, unavailable, failed, refused. */
export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure';
  readonly answer: UpstreamAnswer;

  constructor(answer: UpstreamAnswer) {
    super(`Graph answered ${answer.status}.`);
    this.answer = answer;
  }
}
