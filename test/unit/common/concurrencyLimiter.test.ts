import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { type ConcurrencyLimiter, createConcurrencyLimiter } from '../../../shared/common/concurrencyLimiter.ts';
import { MAX_IN_FLIGHT_PER_MAILBOX } from '../../../shared/common/limits.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { settled } from '../../support/builders.ts';

interface Visitor {
  readonly controller: AbortController;
  /** Set once it has its place. */
  leave: (() => void) | undefined;
  failure: unknown;
}

function enter(queue: ConcurrencyLimiter, mailbox = 'adele'): Visitor {
  const visitor: Visitor = { controller: new AbortController(), leave: undefined, failure: undefined };
  queue.enter(mailbox, visitor.controller.signal).then(
    (leave) => {
      visitor.leave = leave;
    },
    (error) => {
      visitor.failure = error;
    },
  );
  return visitor;
}

const enterMany = (queue: ConcurrencyLimiter, count: number, mailbox?: string) =>
  Array.from({ length: count }, () => enter(queue, mailbox));
const inside = (visitors: readonly Visitor[]) => visitors.map(({ leave }) => leave !== undefined);

describe('createMailboxQueue', () => {
  it("lets as many in as Graph's own limit for a mailbox", async () => {
    const visitors = enterMany(createConcurrencyLimiter(10), 6);

    await settled();

    expect(MAX_IN_FLIGHT_PER_MAILBOX).toBe(4);
    expect(inside(visitors)).toEqual([true, true, true, true, false, false]);
  });

  it('lets the next one in, in order of arrival, when one leaves', async () => {
    const queue = createConcurrencyLimiter(10);
    const visitors = enterMany(queue, 7);
    await settled();

    visitors[2]?.leave?.();
    await settled();
    expect(inside(visitors.slice(4))).toEqual([true, false, false]);

    visitors[4]?.leave?.();
    visitors[0]?.leave?.();
    await settled();
    expect(inside(visitors.slice(4))).toEqual([true, true, true]);
  });

  it.each([1, 2, 3])('counts those inside when %d of them have left and nobody waits', async (leaving) => {
    const queue = createConcurrencyLimiter(10);
    const visitors = enterMany(queue, MAX_IN_FLIGHT_PER_MAILBOX);
    await settled();

    for (const { leave } of visitors.slice(0, leaving)) leave?.();
    const newcomers = enterMany(queue, MAX_IN_FLIGHT_PER_MAILBOX);
    await settled();

    expect(inside(newcomers)).toEqual(newcomers.map((_, index) => index < leaving));
  });

  it('does not let a newcomer overtake the line', async () => {
    const queue = createConcurrencyLimiter(10);
    const visitors = enterMany(queue, 5);
    await settled();

    visitors[0]?.leave?.();
    const newcomer = enter(queue);
    await settled();

    expect(inside([...visitors.slice(4), newcomer])).toEqual([true, false]);
  });

  it('frees a place once, however often it is left', async () => {
    const queue = createConcurrencyLimiter(10);
    const visitors = enterMany(queue, 7);
    await settled();

    for (let times = 0; times < 3; times += 1) visitors[0]?.leave?.();
    await settled();

    expect(inside(visitors.slice(4))).toEqual([true, false, false]);
  });

  it('takes one that gives up out of the line, with its own reason', async () => {
    const queue = createConcurrencyLimiter(2);
    const visitors = enterMany(queue, 6);
    await settled();
    const reason = new ServiceError('TimedOut', 'too late');

    visitors[4]?.controller.abort(reason);
    await settled();
    const late = enter(queue);
    visitors[0]?.leave?.();
    visitors[1]?.leave?.();
    await settled();

    expect(visitors[4]?.failure).toBe(reason);
    expect(inside([...visitors.slice(4), late])).toEqual([false, true, true]);
  });

  it('does not take one into the line that has given up already', async () => {
    const queue = createConcurrencyLimiter(10);
    enterMany(queue, 4);

    await expect(queue.enter('adele', AbortSignal.abort('gone'))).rejects.toBe('gone');
  });

  it('keeps the place of one whose signal aborts while it is inside', async () => {
    const queue = createConcurrencyLimiter(10);
    const visitors = enterMany(queue, 5);
    await settled();

    visitors[0]?.controller.abort();
    await settled();
    expect(inside(visitors.slice(4))).toEqual([false]);

    visitors[0]?.leave?.();
    await settled();
    expect(inside(visitors.slice(4))).toEqual([true]);
  });

  it('turns away who finds the line full, with Retry-After', async () => {
    const visitors = enterMany(createConcurrencyLimiter(2), 7);

    await settled();

    expect(visitors[6]?.failure).toMatchObject({ code: 'MailboxBusy', status: 429, headers: { 'retry-after': '5' } });
    expect(visitors[5]?.failure).toBeUndefined();
  });

  it('lets nobody wait where the line may hold nobody', async () => {
    const queue = createConcurrencyLimiter(0);
    const visitors = enterMany(queue, 5);
    await settled();
    expect(visitors[4]?.failure).toMatchObject({ code: 'MailboxBusy' });

    visitors[0]?.leave?.();
    const next = enter(queue);
    await settled();
    expect(inside([next])).toEqual([true]);
  });

  it('lets one mailbox wait without another waiting for it', async () => {
    const queue = createConcurrencyLimiter(100);
    enterMany(queue, 104, 'adele');

    const others = enterMany(queue, 4, 'megan');
    await settled();

    expect(inside(others)).toEqual([true, true, true, true]);
  });

  it('starts anew for a mailbox that everyone has left', async () => {
    const queue = createConcurrencyLimiter(0);
    for (let round = 0; round < 3; round += 1) {
      const visitors = enterMany(queue, 4);
      await settled();
      expect(inside(visitors)).toEqual([true, true, true, true]);
      for (const { leave } of visitors) leave?.();
    }
  });

  it('keeps nothing of the mailboxes that everyone has left', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    const queue = createConcurrencyLimiter(10);
    const { signal } = new AbortController();
    collectGarbage();
    const before = process.memoryUsage().heapUsed;

    // 40 MB of names, if they were kept.
    for (let index = 0; index < 2_000; index += 1) {
      const leave = await queue.enter(randomBytes(10_000).toString('hex'), signal);
      leave();
    }

    collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000);
    expect(await queue.enter('adele', signal)).toEqual(expect.any(Function));
  });

  it('never lets more in than the limit, loses nobody and keeps the order, whatever comes and goes', async () => {
    const step = fc.record({
      does: fc.constantFrom('enter', 'enter', 'leave', 'abort'),
      which: fc.nat(),
      mailbox: fc.constantFrom('a', 'b'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const queue = createConcurrencyLimiter(1_000);
        const present = { a: [] as Visitor[], b: [] as Visitor[] };
        for (const { does, which, mailbox } of steps) {
          const visitors = present[mailbox];
          const chosen = visitors.length === 0 ? undefined : visitors[which % visitors.length];
          if (does === 'enter') visitors.push(enter(queue, mailbox));
          else if (chosen !== undefined && does === 'leave' && chosen.leave !== undefined) {
            chosen.leave();
            visitors.splice(visitors.indexOf(chosen), 1);
          } else if (chosen !== undefined && does === 'abort' && chosen.leave === undefined) {
            chosen.controller.abort();
            visitors.splice(visitors.indexOf(chosen), 1);
          }
          await settled();
          // Arrivals are kept in order, so those inside must be the first ones: no gap, no overtaking, no idle place.
          const places = inside(visitors);
          expect(places).toEqual(places.map((_, index) => index < MAX_IN_FLIGHT_PER_MAILBOX));
        }
      }),
      { numRuns: 50 },
    );
  });
});
