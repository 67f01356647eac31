import { setTimeout as sleep } from 'node:timers/promises';
import type { Deadline } from '../deadline.ts';
import { challengeIn } from '../graph/challengeIn.ts';
import type { UpstreamAnswer } from '../graph/exchange.ts';
import type { MailboxQueue } from '../graph/mailboxQueue.ts';
import type { TokenSource } from '../graph/tokenSource.ts';
import type { RequestRecord } from '../log/requestRecord.ts';
import { readUploadAddress, type UploadAddress } from './uploadAddress.ts';
import type { UploadHost } from './uploadHost.ts';

/** What sending the pieces of one file needs. */
export interface Sending {
  readonly host: UploadHost;
  /** Of the session that is open now: one that Graph does not know is replaced. @throws ServiceError UploadHostNotAllowed */
  address(): UploadAddress;
  readonly queue: MailboxQueue;
  /** Whose place in the queue each piece takes. */
  readonly mailbox: string;
  readonly deadline: Deadline;
  readonly record: RequestRecord;
  /** Undefined for Outlook's upload host, which must not see one. */
  token(): Promise<string | undefined>;
  /** @throws ServiceError InteractionRequired where Graph's challenge is the user's to meet */
  dropToken(token: string, refusal: UpstreamAnswer): void;
  /** How long the next attempt may still be put off. */
  retryRemainingMs(): number;
  /** @throws the deadline's reason */
  pause(delayMs: number): Promise<void>;
}

export interface SendingOptions extends Pick<Sending, 'host' | 'queue' | 'mailbox' | 'deadline' | 'record'> {
  readonly hosts: readonly string[];
  readonly uploadUrl: () => string;
  readonly tokens: TokenSource | undefined;
  /** Attempts begin no later than this after now. */
  readonly retryTimeoutMs: number;
}

export function createSending({ hosts, uploadUrl, tokens, retryTimeoutMs, ...shared }: SendingOptions): Sending {
  const { deadline, record } = shared;
  const retryUntil = performance.now() + retryTimeoutMs;
  return {
    ...shared,
    address: () => readUploadAddress(uploadUrl(), hosts),
    async token() {
      if (tokens === undefined) return undefined;
      try {
        return await tokens.acquire(deadline);
      } finally {
        record.endStage('token');
      }
    },
    dropToken: (token, refusal) => tokens?.drop(token, challengeIn(refusal)),
    retryRemainingMs: () => Math.min(deadline.remainingMs(), retryUntil - performance.now()),
    async pause(delayMs) {
      try {
        await sleep(delayMs, undefined, { signal: deadline.signal });
      } catch {
        throw deadline.signal.reason;
      }
    },
  };
}
