import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { abortable, mapTimeout } from '../common/deadline.ts';
import {
  IDLE_TIMEOUT_MS,
  MAX_SOURCE_CONNECTIONS,
  MAX_SOURCE_FAILURES,
  MAX_SOURCE_PAUSE_MS,
  SOURCE_RESPONSE_TIMEOUT_MS,
} from '../common/limits.ts';
import { ServiceError } from '../errors.ts';
import { retryDelayMs } from '../graph/retryDelay.ts';
import type { ByteSource } from './byteSource.ts';
import { createGuardedAgent, type Resolve } from './guardedAgent.ts';
import { withIdleTimeout } from './idleTimeout.ts';
import { type KnownFile, requestSource, type SaidOfFile, type SourceResponse, unusable } from './sourceResponse.ts';
import { findSourceRule, type SourceRule } from './sourceRules.ts';

/** A file at an address, from an offset on. */
export interface UrlSource extends ByteSource {
  /** The bytes from the offset on: all of them, unless the source was opened in the middle. */
  readonly sizeBytes: number;
  readonly totalBytes: number;
  /** The file's strong entity tag; undefined where the source gives none: then it can be opened at its start alone. */
  readonly etag: string | undefined;
  /** What the source says the file is. */
  readonly contentType: string | undefined;
  /** Ends the connection; to be called whether or not all was read. */
  close(): void;
}

/** Where an earlier reader stopped, in this process or in another. */
export interface ResumePoint {
  readonly offset: number;
  readonly totalBytes: number;
  readonly etag: string;
}

export interface UrlSourceOptions {
  readonly isDevelopment: boolean;
  /** Called with the file's length before any of it is read; throws where that is too much. */
  readonly checkSize: (totalBytes: number) => void;
  readonly resumeAt?: ResumePoint;
  /** What the caller says of the file: decides on a Content-Encoding that only an archive may have. */
  readonly declared?: SaidOfFile;
  /** All addresses of a host name; the system's resolver unless a test says otherwise. */
  readonly resolve?: Resolve;
  readonly times?: SourceTimes;
}

/** In milliseconds. */
export interface SourceTimes {
  readonly answerMs: number;
  readonly silenceMs: number;
  readonly retryDelay: typeof retryDelayMs;
}

const TIMES: SourceTimes = {
  answerMs: SOURCE_RESPONSE_TIMEOUT_MS,
  silenceMs: IDLE_TIMEOUT_MS,
  retryDelay: retryDelayMs,
};

/**
 * Opens the file at an address that the policy admits by this rule. It is read with Range requests that go on where a connection
 * broke, as long as the file stays the same.
 *
 * @throws ServiceError SourceNotAllowed, SourceRefused, SourceUnusable, SourceChanged, SourceUnavailable, what checkSize throws,
 * or the signal's reason; read throws the same
 */
export async function openUrl(
  url: URL,
  rule: SourceRule,
  options: UrlSourceOptions,
  signal: AbortSignal,
): Promise<UrlSource> {
  if (findSourceRule([rule], url) === undefined) {
    throw new ServiceError('SourceNotAllowed', 'The policy does not admit the sourceUrl.');
  }
  const reader = new AddressReader(url, rule, options);
  try {
    const { file, contentType } = await mapTimeout(reader.begin(signal), late);
    options.checkSize(file.totalBytes);
    return {
      sizeBytes: file.totalBytes - reader.offset,
      totalBytes: file.totalBytes,
      etag: file.etag,
      contentType,
      read: (readSignal) => mapTimeout(reader.read(readSignal), late),
      close: () => reader.close(),
    };
  } catch (error) {
    reader.close();
    throw error;
  }
}

type Opened = Pick<Extract<SourceResponse, { kind: 'bytes' }>, 'file' | 'contentType'>;

/** An answer whose body is being read. */
interface Current {
  readonly body: IncomingMessage;
  readonly chunks: AsyncIterator<Buffer>;
  readonly endOffset: number;
}

class AddressReader {
  offset: number;
  readonly #url: URL;
  readonly #rule: SourceRule;
  readonly #isDevelopment: boolean;
  readonly #resolve: Resolve;
  readonly #times: SourceTimes;
  readonly #declared: SaidOfFile | undefined;
  #known: KnownFile | undefined;
  #current: Current | undefined;
  #asksRange = true;
  #isClosed = false;
  #connections = 0;
  /** Failures since the last byte. */
  #failures = 0;

  constructor(
    url: URL,
    rule: SourceRule,
    { isDevelopment, resolve = lookUp, resumeAt, declared, times = TIMES }: UrlSourceOptions,
  ) {
    this.#url = url;
    this.#rule = rule;
    this.#isDevelopment = isDevelopment;
    this.#resolve = resolve;
    this.#times = times;
    this.#declared = declared;
    this.offset = resumeAt?.offset ?? 0;
    this.#known = resumeAt;
  }

  /** Where an earlier reader had read all, there is nothing to ask for. */
  async begin(signal: AbortSignal): Promise<Opened> {
    if (this.#known !== undefined && this.offset >= this.#known.totalBytes) {
      return { file: this.#known, contentType: undefined };
    }
    return this.#open(signal);
  }

  /** Gets an answer that holds the bytes at the offset, after as many failures as are allowed. */
  async #open(signal: AbortSignal): Promise<Opened> {
    for (;;) {
      if (this.#isClosed) throw new TypeError('The source has been closed.');
      if (this.#connections >= MAX_SOURCE_CONNECTIONS)
        throw unavailable(`It sent the file in more than ${MAX_SOURCE_CONNECTIONS} parts.`, undefined);
      this.#connections += 1;
      const answer = await this.#ask(signal);
      if (answer.kind === 'bytes') {
        this.#known ??= answer.file;
        const { body, endOffset } = answer;
        this.#current = { body, chunks: body.iterator({ destroyOnReturn: false }), endOffset };
        return answer;
      }
      if (answer.kind === 'noRangeOfEmptyFile' && this.#asksRange) this.#asksRange = false;
      else if (answer.kind === 'failed') await this.#waitAfter(answer.cause, answer.retryAfter, signal);
      else throw unusable('It refuses the range from the first byte on.');
    }
  }

  async read(signal: AbortSignal): Promise<Buffer | undefined> {
    const total = this.#known?.totalBytes ?? 0;
    for (;;) {
      if (this.offset === total && this.#current === undefined) return undefined;
      const current = this.#current ?? (await this.#reopen(signal));
      const chunk = await this.#next(current, signal);
      if (chunk === undefined) continue;
      this.offset += chunk.length;
      if (this.offset > current.endOffset) throw this.#tooLong();
      this.#failures = 0;
      if (chunk.length > 0) return chunk;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#drop();
  }

  #drop(): void {
    this.#current?.body.destroy();
    this.#current = undefined;
  }

  /** The answer's next bytes; undefined where it has ended, well or not, and another must go on where bytes are missing. */
  async #next(current: Current, signal: AbortSignal): Promise<Buffer | undefined> {
    const isAll = this.offset === this.#known?.totalBytes;
    try {
      const reading = withIdleTimeout(current.chunks.next(), this.#times.silenceMs, () => new Error('No byte came.'));
      const { done, value } = await abortable(reading, signal);
      if (!done) return value;
      this.#drop();
      if (this.offset < current.endOffset) await this.#waitAfter(new Error('It ended early.'), undefined, signal);
    } catch (error) {
      this.#drop();
      if (signal.aborted) throw signal.reason;
      if (error instanceof ServiceError) throw error;
      if (!isAll) await this.#waitAfter(error, undefined, signal); // After the last byte nothing is lost.
    }
    return undefined;
  }

  async #reopen(signal: AbortSignal): Promise<Current> {
    if (this.#known?.etag === undefined && this.offset > 0) {
      throw unusable(`It broke off at byte ${this.offset} and gives no strong ETag to go on with.`);
    }
    await this.#open(signal);
    if (this.#current === undefined) throw new TypeError('Opened without a body.');
    return this.#current;
  }

  async #ask(signal: AbortSignal): Promise<SourceResponse> {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(this.#times.answerMs)]);
    try {
      const creating = createGuardedAgent(this.#url.hostname, this.#rule, this.#isDevelopment, this.#resolve);
      const agent = await abortable(creating, limited);
      const ask = {
        url: this.#url,
        offset: this.offset,
        known: this.#known,
        declared: this.#declared,
        asksRange: this.#asksRange,
      };
      return await requestSource(ask, agent, limited);
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      if (cause instanceof ServiceError) throw cause;
      return { kind: 'failed', cause, retryAfter: undefined };
    }
  }

  async #waitAfter(cause: unknown, retryAfter: string | undefined, signal: AbortSignal): Promise<void> {
    this.#failures += 1;
    const delayMs = this.#times.retryDelay(retryAfter, this.#failures, Date.now(), Math.random());
    if (this.#failures >= MAX_SOURCE_FAILURES)
      throw unavailable(`It failed ${MAX_SOURCE_FAILURES} times in a row.`, cause);
    if (delayMs > MAX_SOURCE_PAUSE_MS) throw unavailable(longWait(delayMs), cause);
    await pause(delayMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }

  #tooLong(): ServiceError {
    this.#drop();
    return unusable('It sends more bytes than it says.');
  }
}

async function lookUp(host: string): ReturnType<Resolve> {
  const { lookup } = await import('node:dns/promises');
  return lookup(host, { all: true });
}

/** @param delayMs infinite where the caller of this waits less than the source asks for */
function longWait(delayMs: number): string {
  if (!Number.isFinite(delayMs)) return 'It asks for a long wait.';
  return `It asks to wait ${Math.ceil(delayMs / 1000)} seconds; the proxy waits at most ${MAX_SOURCE_PAUSE_MS / 1000}.`;
}

function late(): ServiceError {
  return unavailable('It did not send the file in time.', undefined);
}

function unavailable(why: string, cause: unknown): ServiceError {
  return new ServiceError('SourceUnavailable', `The source is not available. ${why} Try again later.`, { cause });
}
