import { runChaos } from '../support/chaos.ts';

test('every file is attached once, byte for byte, while workers are killed, Graph fails and the store is restarted', async () => {
  const { ends, kills, wentBack } = await runChaos({
    jobs: 8,
    sizeBytes: 9_000_000,
    mailboxes: 3,
    workers: 3,
    killEveryMs: 1_200,
    restartStoreAfterMs: 500,
    failureRate: 0.1,
    timeoutMs: 110_000,
  });

  expect(ends).toEqual(ends.map(() => ({ status: 201, count: 1, isExact: true, wentBack: false })));
  expect(ends).toHaveLength(8);
  expect(kills).toBeGreaterThan(0);
  expect(wentBack).toBe(0);
});
