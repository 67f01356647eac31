import { createGraphSpans, noSpans } from '../../../shared/graph/graphSpans.ts';

const TRACE_PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const CALL = { operation: 'createUploadSession', method: 'POST', kind: 'message', traceParent: TRACE_PARENT } as const;

describe('noSpans', () => {
  it("sends the platform's own trace to Graph as it is", () => {
    expect(noSpans.start(CALL, 1).traceParent).toBe(TRACE_PARENT);
    expect(noSpans.start({ ...CALL, traceParent: undefined }, 1).traceParent).toBeUndefined();
  });
});

describe('createGraphSpans', () => {
  it("makes each attempt a span of the caller's trace", async () => {
    const spans = await createGraphSpans('https://collector.example', 'https://graph.example');

    const [first, second] = [1, 2].map((attempt) => spans.start(CALL, attempt).traceParent);

    expect(first).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
    expect(second).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/);
    expect(new Set([TRACE_PARENT, first, second]).size).toBe(3);
  });

  it('begins a trace where there is none', async () => {
    const spans = await createGraphSpans('https://collector.example', 'https://graph.example');

    const starts = [1, 2].map(
      () => spans.start({ ...CALL, kind: 'event', traceParent: undefined }, 1).traceParent?.split('-')[1],
    );

    expect(new Set(starts).size).toBe(2);
    expect(starts[0]).toMatch(/^[0-9a-f]{32}$/);
  });
});
