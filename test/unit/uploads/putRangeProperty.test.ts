import { createHash, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { handleUrl } from '../../../shared/handleUrl.ts';
import type { ResponseData } from '../../../shared/server/response.ts';
import { startTransfer } from '../../../shared/transfer/transferRecord.ts';
import { incomingRequest, invocation } from '../../support/builders.ts';
import { runs } from '../../support/runs.ts';
import { FATES, instanceOf, memoryStore, modelOfGraph } from '../../support/transferModel.ts';

const TOTAL = 240;
const FILE = randomBytes(TOTAL);
const SHA256 = createHash('sha256').update(FILE).digest('hex');

type Step =
  | {
      readonly kind: 'put';
      readonly instance: 0 | 1;
      readonly first: number;
      readonly length: number;
      readonly wrong: 'nothing' | 'total' | 'moreBytes' | 'fewerBytes';
    }
  | { readonly kind: 'resume'; readonly instance: 0 | 1; readonly length: number }
  | { readonly kind: 'show'; readonly instance: 0 | 1 };

const instance = fc.constantFrom<0 | 1>(0, 1);
const length = fc.oneof(fc.constant(TOTAL), fc.integer({ min: 1, max: TOTAL }));
const put = fc.record({
  kind: fc.constant('put' as const),
  instance,
  first: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: TOTAL - 1 })),
  length,
  wrong: fc.constantFrom(
    'nothing' as const,
    'nothing' as const,
    'total' as const,
    'moreBytes' as const,
    'fewerBytes' as const,
  ),
});
/** What a sensible client does: it goes on where it should, in slices of any length. */
const resume = fc.record({ kind: fc.constant('resume' as const), instance, length });
const show = fc.record({ kind: fc.constant('show' as const), instance });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: put },
  { weight: 5, arbitrary: resume },
  { weight: 1, arbitrary: show },
);
/** Steps of one group begin at the same time. */
const groups = fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 12 });
const turns = fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 120 });
const fates = fc.array(fc.constantFrom(...FATES), { maxLength: 30 });

beforeAll(() => {
  jest.spyOn(Math, 'random').mockReturnValue(0); // No pause between attempts.
});
afterAll(() => jest.restoreAllMocks());

/** Opens an upload at the model, and speaks to it through two instances that share nothing but the store and Graph. */
async function openModel() {
  const graph = modelOfGraph(TOTAL);
  const store = memoryStore(graph);
  const session = { uploadUrl: graph.open(), expirationDateTime: new Date(Date.now() + 3_600_000).toISOString() };
  const target = {
    kind: 'message',
    version: 'v1.0',
    owner: { kind: 'mailbox', id: 'a@b.example' },
    itemPath: 'messages/m',
  } as const;
  const { id } = await store.create({
    ...startTransfer(target, { name: 'report.pdf', sizeBytes: TOTAL }, session, Date.now()),
    caller: 'functionKey',
    wantsImmutableIds: false,
    state: { status: 'uploading' },
  });
  const instances = [instanceOf(store, graph), instanceOf(store, graph)];

  /** One that has died answers 0, and another stands in its place. */
  async function send(
    at: 0 | 1,
    method: string,
    headers: Record<string, string> = {},
    body: Buffer | null = null,
  ): Promise<Pick<ResponseData, 'status' | 'body'>> {
    const request = incomingRequest({ method, headers, body });
    const current = instances[at];
    if (current === undefined) throw new Error('No such instance.');
    const { dependencies, death } = current;
    const answer = handleUrl({ kind: 'read', request }, 'upload', id, invocation().context, dependencies);
    const died = death.then(() => {
      if (instances[at] === current) instances[at] = instanceOf(store, graph);
      return { status: 0, body: '{}' };
    });
    return Promise.race([answer, died]);
  }
  async function show(at: 0 | 1): Promise<{ status: string; offset: number }> {
    const { body } = await send(at, 'GET');
    const { status = 'unknown', nextExpectedRanges = [] } = JSON.parse(body);
    return { status, offset: Number.parseInt(nextExpectedRanges[0] ?? TOTAL, 10) };
  }
  function putRange(at: 0 | 1, first: number, length: number, wrong = 'nothing') {
    const last = Math.min(first + length, TOTAL) - 1;
    const total = wrong === 'total' ? TOTAL + 1 : TOTAL;
    const bytes = FILE.subarray(first, last + 1);
    const body =
      wrong === 'moreBytes'
        ? Buffer.concat([bytes, Buffer.from('x')])
        : wrong === 'fewerBytes'
          ? bytes.subarray(0, -1)
          : bytes;
    return send(at, 'PUT', { 'content-range': `bytes ${first}-${last}/${total}` }, body);
  }
  async function take(step: Step): Promise<number> {
    switch (step.kind) {
      case 'show':
        return (await show(step.instance)) && 200;
      case 'put':
        return (await putRange(step.instance, step.first, step.length, step.wrong)).status;
      case 'resume': {
        const { status, offset } = await show(step.instance);
        return status === 'uploading' ? (await putRange(step.instance, offset, step.length)).status : 200;
      }
    }
  }
  /** A client without faults in its way brings the upload to its end. */
  async function finish(): Promise<string> {
    graph.fates = [];
    for (let tries = 0; tries < 20; tries += 1) {
      const { status, offset } = await show(0);
      if (status !== 'uploading') return status;
      await putRange(0, offset, 100);
    }
    return 'uploading';
  }
  return { graph, take, finish, cancel: (at: 0 | 1) => send(at, 'DELETE') };
}

test('brings the declared bytes to the item once, whatever comes in which order, and whatever is lost', async () => {
  await fc.assert(
    fc.asyncProperty(groups, fates, turns, async (played, lost, taken) => {
      const { graph, take, finish } = await openModel();
      graph.fates = [...lost];
      graph.turns = [...taken];

      const statuses: number[] = [];
      for (const group of played) statuses.push(...(await Promise.all(group.map(take))));

      expect(statuses.filter((status) => ![0, 200, 201, 400, 416, 429, 502, 503, 504].includes(status))).toEqual([]);
      expect(await finish()).toBe('completed');
      expect(graph.attached).toEqual([SHA256]);
    }),
    { numRuns: runs(60, 400), endOnFailure: true },
  );
});

test('attaches the file once or says that it failed, where the item is not found at first as well', async () => {
  const unknown = fc.integer({ min: 1, max: 4 });
  await fc.assert(
    fc.asyncProperty(groups, fates, turns, unknown, async (played, lost, taken, unknownSessions) => {
      const { graph, take, finish } = await openModel();
      graph.fates = [...lost];
      graph.turns = [...taken];
      graph.unknownSessions = unknownSessions;

      for (const group of played) await Promise.all(group.map(take));

      expect([await finish(), graph.attached]).toEqual(
        graph.attached.length === 0 ? ['failed', []] : ['completed', [SHA256]],
      );
    }),
    { numRuns: runs(30, 200), endOnFailure: true },
  );
});

test('says truly whether a cancelled upload has attached its file', async () => {
  const moment = fc.integer({ min: 0, max: 11 });
  await fc.assert(
    fc.asyncProperty(groups, fates, turns, instance, moment, async (played, lost, taken, at, when) => {
      const { graph, take, finish, cancel } = await openModel();
      graph.fates = [...lost];
      graph.turns = [...taken];

      const answers: number[] = [];
      for (const [n, group] of played.entries()) {
        const cancelling = n === when % played.length ? [cancel(at).then(({ status }) => answers.push(status))] : [];
        await Promise.all([...group.map(take), ...cancelling]);
      }

      const status = await finish();
      expect([status, graph.attached]).toEqual(status === 'completed' ? ['completed', [SHA256]] : ['cancelled', []]);
      if (answers[0] === 204) expect(status).toBe('cancelled');
      if (answers[0] === 409) expect(status).toBe('completed');
    }),
    { numRuns: runs(40, 300), endOnFailure: true },
  );
});

test('attaches no second copy where the first is there and not shown yet', async () => {
  const { graph, take, finish } = await openModel();
  graph.fates = ['lostAfter'];
  graph.lags = true;

  expect(await take({ kind: 'resume', instance: 0, length: TOTAL })).toBe(404);

  expect(graph.attached).toEqual([SHA256]);
  graph.lags = false;
  expect(await finish()).toBe('completed');
});
