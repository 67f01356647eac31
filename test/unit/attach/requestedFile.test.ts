import { compilePolicy } from '../../../shared/access/policy.ts';
import { authorizeFile, readRequestedFile } from '../../../shared/attach/requestedFile.ts';
import { startDeadline } from '../../../shared/common/deadline.ts';
import { LogEntry } from '../../../shared/logging/logEntry.ts';
import { parsePath } from '../../../shared/paths/parsePath.ts';
import { createJsonMemory } from '../../../shared/sources/jsonMemory.ts';
import { configOf, INFO, incomingRequest } from '../../support/builders.ts';

const LIMIT = 4_000_000;

/** Reads what a request asks to attach; its body fails the test if anything is read of it. */
async function ask(query: string, headers: Readonly<Record<string, string>>, limitBytes = LIMIT) {
  const config = configOf({ FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: String(limitBytes) });
  const policy = compilePolicy(
    { callers: [{ name: 'a', functionKey: true, mailboxes: ['*'], kinds: ['message'] }] },
    { meMailbox: undefined, uploadUrl: 'graph' },
  );
  const unread = (async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.reject(new Error('The body was read.'));
  })();
  const request = incomingRequest({ url: `https://proxy.example/api/any${query}`, headers, body: unread });
  const deadline = startDeadline(10_000);
  try {
    const context = { request, info: INFO, deadline, logEntry: new LogEntry('attach') };
    const target = parsePath('users/a@contoso.example/messages/AAMk/attachments');
    const authorize = authorizeFile(context, { kind: 'functionKey' }, target, { policy });
    return await readRequestedFile(context, target, authorize, { config }, createJsonMemory().open());
  } finally {
    deadline.end();
  }
}

describe('readRequestedFile', () => {
  it.each([
    ['?size', '?name=a.bin&size=4000001', {}],
    ['Content-Length', '?name=a.bin', { 'content-length': '4000001' }],
    ['Content-Length of JSON', '', { 'content-type': 'application/json', 'content-length': '4000001' }],
  ])('refuses %s above the limit of one body, before the first byte', async (_, query, headers) => {
    await expect(ask(query, headers)).rejects.toMatchObject({
      code: 'RequestBodyTooLarge',
      status: 413,
      message: expect.stringMatching(/4000001 bytes.* 4000000 .*FUNCTIONS_REQUEST_BODY_SIZE_LIMIT.*sourceUrl.*ranges/),
    });
  });

  it.each([
    ['?size', '?name=a.bin&size=4000000', {}],
    ['Content-Length', '?name=a.bin', { 'content-length': '4000000' }],
  ])('takes %s that is just the limit', async (_, query, headers) => {
    expect(await ask(query, headers)).toMatchObject({ file: { sizeBytes: LIMIT } });
  });

  it('refuses a file above the largest attachment as such, whatever one body carries', async () => {
    await expect(ask('?name=a.bin&size=157286401', {}, 100)).rejects.toMatchObject({
      code: 'RequestBodyTooLarge',
      message: expect.stringContaining(' 157286400 '),
    });
  });
});
