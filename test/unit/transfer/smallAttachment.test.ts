import type { AttachmentsApi, GraphAttachment } from '../../../shared/graph/attachmentsApi.ts';
import { GraphError } from '../../../shared/graph/graphError.ts';
import type { GraphResponse } from '../../../shared/graph/graphResponse.ts';
import { isTooLongForOneCall, isTooShortForSession, postAttachment } from '../../../shared/transfer/smallAttachment.ts';
import { uploadRecordOf } from '../../support/uploadRecords.ts';

const CHUNKS = [Buffer.from('ab'), Buffer.from('c')];
const FILE = uploadRecordOf({ attachment: { name: 'a', sizeBytes: 3, contentType: 'text/plain', isInline: true } });
const THERE: GraphAttachment = { id: 'there', name: 'a', size: 3, lastModifiedDateTime: FILE.createdAt };

function answerOf(status: number, body: unknown = {}): GraphResponse {
  return { status, headers: {}, body: JSON.stringify(body) };
}

function errorOf(status: number, code: string): GraphError {
  return new GraphError(answerOf(status, { error: { code, message: 'No.' } }));
}

type Item = Pick<AttachmentsApi, 'addAttachment' | 'listAttachments' | 'readContent'>;

/** An item whose POST comes to this, and which holds these attachments, each with these bytes. */
function itemOf(post: () => Promise<GraphResponse>, held: readonly GraphAttachment[] = [], content = 'abc') {
  const sent: string[] = [];
  const item: Item = {
    addAttachment: (json) => {
      sent.push(json);
      return post();
    },
    listAttachments: async () => held,
    readContent: async () => Buffer.from(content),
  };
  return { item, sent };
}

describe('postAttachment', () => {
  it("sends Graph's JSON, and gives the attachment that Graph answers", async () => {
    const { item, sent } = itemOf(async () => answerOf(201, { id: 'new', name: 'a' }));

    expect(await postAttachment(item, FILE, CHUNKS)).toEqual({ id: 'new', shown: { id: 'new', name: 'a' } });
    expect(sent.map((json) => JSON.parse(json))).toEqual([
      {
        '@odata.type': '#microsoft.graph.fileAttachment',
        name: 'a',
        contentType: 'text/plain',
        isInline: true,
        contentBytes: 'YWJj',
      },
    ]);
  });

  it('says Graph the size of a file for a task', async () => {
    const { item, sent } = itemOf(async () => answerOf(201, { id: 'new' }));
    const target = { ...FILE.target, kind: 'todoTask' as const };

    await postAttachment(item, { ...FILE, target, attachment: { name: 'a', sizeBytes: 3 } }, CHUNKS);

    expect(JSON.parse(sent[0] ?? '')).toEqual({
      '@odata.type': '#microsoft.graph.taskFileAttachment',
      name: 'a',
      size: 3,
      contentBytes: 'YWJj',
    });
  });

  const LOST: [string, () => Promise<GraphResponse>][] = [
    ['the connection fails', () => Promise.reject(new Error('reset'))],
    ['Graph answers 500', async () => answerOf(500)],
    ['Graph answers 503', async () => answerOf(503)],
    ['Graph answers something else', async () => answerOf(201, { id: 7 })],
  ];

  it.each(LOST)('finds the file where %s and it is there', async (_, post) => {
    expect(await postAttachment(itemOf(post, [THERE]).item, FILE, CHUNKS)).toEqual({ id: 'there' });
  });

  it.each(LOST)('fails where %s and it is not there', async (_, post) => {
    await expect(postAttachment(itemOf(post).item, FILE, CHUNKS)).rejects.toThrow();
  });

  it("does not look behind Graph's refusal", async () => {
    const { item } = itemOf(async () => answerOf(403), [THERE]);

    await expect(postAttachment(item, FILE, CHUNKS)).rejects.toMatchObject({ response: { status: 403 } });
  });

  it('lets the item be asked before the file is sent again', async () => {
    const asked: boolean[] = [];
    for (const held of [[], [THERE]]) {
      const item: Item = {
        async addAttachment(_, isDone) {
          asked.push(await isDone());
          return answerOf(201, { id: 'new' });
        },
        listAttachments: async () => held,
        readContent: async () => Buffer.from('abc'),
      };
      await postAttachment(item, FILE, CHUNKS);
    }

    expect(asked).toEqual([false, true]);
  });

  it.each(LOST)('does not take a file of the same name with other bytes for its own where %s', async (_, post) => {
    await expect(postAttachment(itemOf(post, [THERE], 'xyz').item, FILE, CHUNKS)).rejects.toThrow();
  });

  it('gives the file that was there before it would have been sent again, whatever Graph has answered', async () => {
    const item: Item = {
      async addAttachment(_, isDone) {
        await isDone();
        return answerOf(429);
      },
      listAttachments: async () => [THERE],
      readContent: async () => Buffer.from('abc'),
    };

    expect(await postAttachment(item, FILE, CHUNKS)).toEqual({ id: 'there' });
  });
});

const size = (sizeBytes: number) => ({ name: 'a', sizeBytes });

test.each([
  [errorOf(413, 'RequestEntityTooLarge'), 2_500_000, true],
  [new GraphError({ status: 413, headers: {}, body: '<html>' }), 2_500_000, true],
  [errorOf(400, 'BadRequest'), 2_500_000, true],
  [errorOf(400, 'ErrorInvalidIdMalformed'), 2_500_000, false],
  [errorOf(413, 'RequestEntityTooLarge'), 2_000_000, false],
  [new Error('413'), 2_500_000, false],
])('a file is too long for one call by Graph’s answer, case %#', (error, sizeBytes, expected) => {
  expect(isTooLongForOneCall(error, size(sizeBytes))).toBe(expected);
});

test.each([
  [errorOf(400, 'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize'), 3_000_000, true],
  [errorOf(400, 'ErrorAttachmentSizeShouldNotBeLessThanMinimumSize'), 3_145_612, false],
  [errorOf(400, 'BadRequest'), 3_000_000, false],
  [new Error('too short'), 3_000_000, false],
])('a file is too short for a session by Graph’s answer, case %#', (error, sizeBytes, expected) => {
  expect(isTooShortForSession(error, size(sizeBytes))).toBe(expected);
});
