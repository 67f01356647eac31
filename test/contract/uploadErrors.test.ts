import { createHash } from 'node:crypto';
import { PlayRequestError } from '../../local/emulators/errors/errorRequest.ts';
import { type GraphErrorName, UPLOAD_ERRORS, type UploadErrorName } from '../../local/emulators/errors/namedErrors.ts';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { type Answer, errorOf, type GraphBench, startGraph } from './emulators.ts';
import { openUpload, putPiece } from './uploads.ts';

const MIB = 1_048_576;
const FILE = Buffer.alloc(3 * MIB, 'attachment');
const SHA256 = createHash('sha256').update(FILE).digest('hex');
const [messageId] = ADELE.items.message;

/** What the sender of a piece sees, and what becomes of the piece. */
interface Outcome {
  readonly seen: number | 'breaks' | 'hangs';
  readonly code?: string;
  readonly takesBytes: boolean;
  /** What the next PUT of the same session is answered, where it is not answered as if nothing had been. */
  readonly after?: number;
}
const OUTCOMES: Record<UploadErrorName, Outcome> = {
  resetAfterCommit: { seen: 'breaks', takesBytes: true },
  hangAfterCommit: { seen: 'hangs', takesBytes: true },
  status503AfterCommit: { seen: 503, code: 'serviceNotAvailable', takesBytes: true },
  status409AfterCommit: { seen: 409, code: 'Conflict', takesBytes: true },
  status404AfterCommit: { seen: 404, code: 'ErrorItemNotFound', takesBytes: true },
  status413MessageSize: { seen: 413, code: 'ErrorMessageSizeExceeded', takesBytes: false },
  status400MessageSize: { seen: 400, code: 'ErrorMessageSizeExceeded', takesBytes: false },
  resetMidBody: { seen: 'breaks', takesBytes: false },
  sessionGone: { seen: 404, code: 'ErrorItemNotFound', takesBytes: false, after: 404 },
  expired: { seen: 401, code: 'InvalidAuthenticationToken', takesBytes: false, after: 401 },
  notFoundAtFirst: { seen: 404, code: 'ErrorItemNotFound', takesBytes: false, after: 404 },
};
const NAMES = Object.keys(UPLOAD_ERRORS) as UploadErrorName[];
const PIECES = ['first', 'middle', 'last'] as const;

describe('the errors of uploads', () => {
  let bench: GraphBench;

  beforeAll(async () => {
    bench = await startGraph();
  });
  afterAll(() => bench.graph.close());
  afterEach(() => bench.graph.reset());

  /** PUTs one of the three pieces of 1 MiB. */
  const put = (url: string, index: number, timeoutMs = 10_000) =>
    putPiece(bench, url, FILE, index * MIB, (index + 1) * MIB, { timeoutMs });
  const openOn = (id: string) => openUpload(bench, { size: FILE.length }, `/v1.0/users/${ADELE.id}/messages/${id}`);
  const statusOf = async (answer: Promise<Answer>) => (await answer).status;

  async function expectOutcome(answer: Promise<Answer>, { seen, code }: Outcome): Promise<void> {
    if (seen === 'breaks') await expect(answer).rejects.toThrow(/ECONNRESET|EPIPE|socket/);
    else if (seen === 'hangs') await expect(answer).rejects.toMatchObject({ code: 'ABORT_ERR' });
    else expect([(await answer).status, errorOf(await answer)['code']]).toEqual([seen, code]);
  }

  const cells = NAMES.flatMap((error) =>
    PIECES.filter((piece) => error !== 'notFoundAtFirst' || piece === 'first').map((piece) => ({ error, piece })),
  );

  test.each(cells)('plays $error on the $piece piece by the id of the item', async ({ error, piece }) => {
    const outcome = OUTCOMES[error];
    const id = `error=${error};chunk=${piece};times=1;nonce=${error}${piece}`;
    const url = await openOn(id);
    const at = PIECES.indexOf(piece);
    for (let index = 0; index < at; index += 1) await put(url, index);

    await expectOutcome(put(url, at, outcome.seen === 'hangs' ? 200 : 10_000), outcome);
    const again = await put(url, at);

    const repeated = outcome.takesBytes ? (piece === 'last' ? 404 : 416) : piece === 'last' ? 201 : 200;
    expect(again.status).toBe(outcome.after ?? repeated);
    expect(bench.graph.requests.filter((request) => request.error === error)).toHaveLength(1);
    const isWhole = piece === 'last' && outcome.after === undefined;
    expect(bench.graph.attachments(ADELE.id, id)).toEqual(isWhole ? [expect.objectContaining({ sha256: SHA256 })] : []);
  });

  const common = [
    ['status401', 401],
    ['status404', 404],
    ['status429', 429],
    ['status500', 500],
    ['status503', 503],
    ['status504', 504],
    ['html503', 503],
    ['resetBeforeHeaders', 'breaks'],
    ['hangBeforeHeaders', 'hangs'],
  ] as const satisfies [GraphErrorName, Outcome['seen']][];

  test.each(common)('plays %s on the middle piece, once, without taking it', async (error, seen) => {
    const url = await openOn(messageId);
    bench.graph.play({ error, chunk: 'middle' });

    await put(url, 0);
    const middle = put(url, 1, seen === 'hangs' ? 200 : 10_000);
    if (typeof seen === 'number') expect(await statusOf(middle)).toBe(seen);
    else await expectOutcome(middle, { seen, takesBytes: false });

    expect([await statusOf(put(url, 1)), await statusOf(put(url, 2))]).toEqual([200, 201]);
    expect(bench.graph.attachments(ADELE.id, messageId)).toEqual([expect.objectContaining({ sha256: SHA256 })]);
  });

  test('breaks the last answer off, for which the attachment is there', async () => {
    const url = await openOn(messageId);
    for (const error of ['truncated', 'resetAfterHeaders'] as const) bench.graph.play({ error, chunk: 'last' });
    await put(url, 0);
    await put(url, 1);

    await expect(put(url, 2)).rejects.toThrow();

    expect(bench.graph.attachments(ADELE.id, messageId)).toHaveLength(1);
  });

  test('writes errors in the shape of the upload host, with Retry-After', async () => {
    bench.graph.play({ error: 'status429', on: 'upload' });

    const { headers, json } = await put(await openOn(messageId), 0);

    expect(headers['retry-after']).toBe('2');
    expect(json).toEqual({
      error: {
        code: 'ApplicationThrottled',
        message: expect.any(String),
        innerError: { requestId: headers['request-id'], date: expect.any(String) },
      },
    });
  });

  test.each([
    ['status429', 429, 'ApplicationThrottled'],
    ['expired', 404, 'ErrorItemNotFound'],
    ['sessionGone', 404, 'ErrorItemNotFound'],
  ] as const)("plays %s on a To Do task's session as Graph answers it", async (error, status, code) => {
    bench.graph.settings.appOnlyFamilies = 'all';
    const path = `/v1.0/users/${ADELE.id}/todo/lists/${ADELE.items.todoTaskList[0]}/tasks/${ADELE.items.todoTask[0]}`;
    const body = { attachmentInfo: { attachmentType: 'file', name: 'a', size: FILE.length } };
    const { json } = await bench.create(path, body);
    bench.graph.play({ error, on: 'upload' });

    const headers = { authorization: `Bearer ${bench.token()}` };
    const answer = await putPiece(bench, `${json['uploadUrl']}/content`, FILE, 0, MIB, { headers });

    expect([answer.status, errorOf(answer)['code']]).toEqual([status, code]);
    expect(errorOf(answer)['innerError']).toHaveProperty('client-request-id');
  });

  test.each(['status413MessageSize', 'status400MessageSize'] as const)(
    'writes %s without innerError',
    async (error) => {
      bench.graph.play({ error });

      const { json } = await put(await openOn(messageId), 0);

      expect(json).toEqual({ error: { code: 'ErrorMessageSizeExceeded', message: expect.any(String) } });
    },
  );

  test('stops a piece half-way with resetMidBody', async () => {
    bench.graph.play({ error: 'resetMidBody' });

    await expect(put(await openOn(messageId), 0)).rejects.toThrow();

    expect(bench.graph.requests.at(-1)).toMatchObject({ error: 'resetMidBody', aborted: false });
    expect(bench.graph.requests.at(-1)?.bytes).toBeLessThan(MIB);
  });

  test('finds a message at last in a session opened after those that notFoundAtFirst has struck', async () => {
    const id = 'error=notFoundAtFirst;times=2;nonce=late';
    const urls = [await openOn(id), await openOn(id), await openOn(id)];

    const statuses = [];
    for (const url of urls) statuses.push(await statusOf(put(url, 0)), await statusOf(put(url, 0)));

    expect(statuses).toEqual([404, 404, 404, 404, 200, 416]);
  });

  test('plays on a PUT by its number, refused ones included', async () => {
    const url = await openOn('error=status503;chunk=1');

    const statuses = [];
    for (const index of [1, 0, 0, 1]) statuses.push(await statusOf(put(url, index)));

    expect(statuses).toEqual([416, 503, 200, 200]);
  });

  test('takes a file in one piece for the first and the last', async () => {
    const whole = async () => putPiece(bench, await openOn(messageId), FILE, 0, FILE.length);
    bench.graph.play({ error: 'status500', chunk: 'first' });
    bench.graph.play({ error: 'status503', chunk: 'last' });
    bench.graph.play({ error: 'status504', chunk: 'middle' });

    const statuses = [await statusOf(whole()), await statusOf(whole()), await statusOf(whole())];

    expect(statuses).toEqual([500, 503, 201]);
  });

  test.each([
    ['error=status503;chunk=second', /^chunk is /],
    ['error=status503;on=create;chunk=first', /^chunk goes with on=upload/],
    ['error=sessionGone;on=create', /^'sessionGone' goes with on=upload/],
  ])('refuses the id %s and says why', async (id, message) => {
    const answer = await bench.create(`/v1.0/users/${ADELE.id}/messages/${id}`);

    expect([answer.status, errorOf(answer)['message']]).toEqual([400, expect.stringMatching(message)]);
  });

  test('refuses to play an error where it cannot happen', () => {
    expect(() => bench.graph.play({ error: 'resetMidBody', on: 'create' })).toThrow(PlayRequestError);
  });
});
