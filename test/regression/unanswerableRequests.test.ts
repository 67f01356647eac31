import { once } from 'node:events';
import { connect } from 'node:net';
import { graphErrorBody, type Site, startSite } from '../support/site.ts';

/**
 * What the Functions library cannot turn into a `Request` reaches no handler and no hook: in streaming mode the caller
 * waited for minutes, on the anonymous health function too.
 */
let site: Site;
beforeAll(async () => {
  site = await startSite();
});
afterAll(() => site.close());

/** Sends the head as it stands and gives back the whole answer. */
async function sendRaw(head: string): Promise<{ status: number; body: unknown }> {
  const socket = connect(Number(new URL(site.url).port), '127.0.0.1');
  socket.write(head);
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(socket, 'end', { signal: AbortSignal.timeout(60_000) });
  const json = text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1);
  return { status: Number(text.split(' ')[1]), body: JSON.parse(json) };
}

describe.each(['localhost:99999', '1.2.3.999'])('the Host header %s', (host) => {
  test('is answered 400 where the address counts', async () => {
    const answer = await sendRaw(`GET /api/me/messages HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);

    expect(answer).toEqual({ status: 400, body: graphErrorBody('InvalidRequest') });
  });

  test('does not keep health from answering', async () => {
    const answer = await sendRaw(`GET /api/health HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);

    expect(answer).toEqual({ status: 200, body: expect.objectContaining({ status: 'ok' }) });
  });
});

/** The host merges query parameters with its own data: these replace the request's headers or its path there. */
test.each(['Headers={"authorization":"Bearer x"}', 'headers=1', '%48eaders=1', 'PATH=x', 'a=b&query=1'])(
  'takes no notice of the query %s',
  async (query) => {
    const path = '/api/me/messages/AAMkAGadele-message-1=/attachments/createUploadSession';
    const response = await fetch(`${site.url}${path}?${query}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ AttachmentItem: { attachmentType: 'file', name: 'a.pdf', size: 5_242_880 } }),
    });

    expect([response.status, await response.json()]).toEqual([
      201,
      expect.objectContaining({ uploadUrl: expect.stringContaining('AAMkAGadele-message-1=') }),
    ]);
  },
);
