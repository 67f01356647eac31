import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sendResponse } from '../../../functions/sendResponse.ts';

const INVOCATION_ID = '5e1c3a2b-0f4d-4a6e-9b8c-7d6e5f4a3b2c';

/** What a caller gets of a result, and what went wrong in the app. */
async function answered(result: unknown): Promise<{ answer: Response | undefined; error: unknown }> {
  let error: unknown;
  const server = createServer((_request, response: ServerResponse) => {
    try {
      sendResponse(response, INVOCATION_ID, result);
    } catch (thrown) {
      error = thrown;
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}`).catch(() => undefined);
  await answer?.clone().text();
  server.closeAllConnections();
  server.close();
  return { answer, error };
}

describe('sendAnswer', () => {
  it("writes status, headers, body and the invocation's id", async () => {
    const { answer } = await answered({ status: 201, headers: { 'x-name': 'a' }, body: '{}' });

    expect([answer?.status, await answer?.text()]).toEqual([201, '{}']);
    expect(answer?.headers.get('x-name')).toBe('a');
    expect(answer?.headers.get('x-ms-invocation-id')).toBe(INVOCATION_ID);
  });

  it("does not let a handler's header stand for the invocation's id", async () => {
    const { answer } = await answered({ headers: { 'x-ms-invocation-id': 'mine' } });

    expect(answer?.headers.get('x-ms-invocation-id')).toBe(INVOCATION_ID);
  });

  it.each([
    ['no answer', undefined],
    ['a header that cannot be sent', { headers: { 'x-name': 'a\r\nb' } }],
    ['a status that there is not', { status: 99 }],
  ])('breaks the connection off for %s, and throws', async (_, result) => {
    const { answer, error } = await answered(result);

    expect(answer).toBeUndefined();
    expect(error).toMatchObject({ message: expect.stringMatching(/\S/) });
  });
});
