import { GraphError } from '../../shared/graph/graphError.ts';
import { handleRequest } from '../../shared/handleRequest.ts';
import type { ResponseData } from '../../shared/server/response.ts';
import { RecordConflict } from '../../shared/storage/recordStore.ts';
import { incomingRequest, invocation, upstreamAnswer } from '../support/builders.ts';

const FRAME = { operation: 'putRange', timeoutMs: 10_000, logMailbox: 'hashed' } as const;

/** What becomes of an operation that gives this answer, or fails like this. */
async function run(outcome: ResponseData | Error) {
  const { context, lines } = invocation();
  const response = await handleRequest({ kind: 'read', request: incomingRequest() }, context, FRAME, async () => {
    if (outcome instanceof Error) throw outcome;
    return outcome;
  });
  expect(lines).toHaveLength(1);
  const line: unknown = JSON.parse(lines[0]?.text ?? '');
  return { answer: response, line };
}

describe('answerOperation', () => {
  it.each([
    [201, 'Created'],
    [200, 'Succeeded'],
    [204, 'Succeeded'],
  ])('calls %i in the log %s', async (status, code) => {
    const { answer: response, line } = await run({ status, headers: {}, body: '' });

    expect(response.status).toBe(status);
    expect(line).toMatchObject({ operation: 'putRange', status, code });
  });

  it.each([
    ['another writer', new RecordConflict('moved on'), 409, 'UploadBusy'],
    [
      'a refusal of Graph',
      new GraphError(upstreamAnswer(403, '{"error":{"code":"ErrorAccessDenied","message":"No."}}')),
      403,
      'ErrorAccessDenied',
    ],
    ['an answer that cannot be relayed', new GraphError(upstreamAnswer(302)), 502, 'GraphAnswerInvalid'],
    ['what nobody foresaw', new TypeError('x is not a function'), 500, 'InternalError'],
  ])('answers %s in the shape of Graph', async (_, failure, status, code) => {
    const { answer: response, line } = await run(failure);

    expect([response.status, JSON.parse(response.body)]).toEqual([
      status,
      { error: expect.objectContaining({ code, message: expect.stringMatching(/\S/) }) },
    ]);
    expect(line).toMatchObject({ status, code });
  });
});
