import fc from 'fast-check';
import { startDeadline } from '../../../shared/common/deadline.ts';
import { MAX_REQUEST_BODY_BYTES } from '../../../shared/common/limits.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { readBody } from '../../../shared/server/readBody.ts';
import { bodyOf, incomingRequest, openDeadline } from '../../support/builders.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

interface Watched {
  readonly stream: AsyncGenerator<Uint8Array>;
  /** How many chunks were asked for, and whether the body was given up. */
  readonly seen: { pulls: number; cancelled: boolean };
}

/** A body that gives this chunk as often as it is asked. */
function endlessBody(chunk: Uint8Array): Watched {
  const seen = { pulls: 0, cancelled: false };
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        seen.pulls += 1;
        yield chunk;
      }
    } finally {
      seen.cancelled = true;
    }
  }
  return { stream: chunks(), seen };
}

/** A body that gives one chunk and then nothing, not even an end. */
async function* stalledBody(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('{');
  await new Promise(() => {});
}

describe('readBody', () => {
  it('gives back the bytes as they were sent, however they were cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 20 }), async (chunks) => {
        const request = incomingRequest({ body: bodyOf(...chunks) });

        const body = await readBody(request, openDeadline().signal);

        expect(body.equals(Buffer.concat(chunks))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('reads the absence of a body as an empty one', async () => {
    const body = await readBody(incomingRequest({ body: null }), openDeadline().signal);

    expect(body).toHaveLength(0);
  });

  it('takes a body of exactly the limit, declared or chunked', async () => {
    const full = Buffer.alloc(MAX_REQUEST_BODY_BYTES, ' ');
    const declared = { ...JSON_TYPE, 'content-length': String(full.length) };

    expect(await readBody(incomingRequest({ body: full, headers: declared }), openDeadline().signal)).toHaveLength(
      full.length,
    );
    expect(await readBody(incomingRequest({ body: full }), openDeadline().signal)).toHaveLength(full.length);
  });

  it('refuses one byte over the limit', async () => {
    const request = incomingRequest({ body: Buffer.alloc(MAX_REQUEST_BODY_BYTES + 1) });

    await expect(readBody(request, openDeadline().signal)).rejects.toMatchObject({
      code: 'RequestBodyTooLarge',
      status: 413,
    });
  });

  it('refuses a declared length over the limit without reading', async () => {
    const { stream, seen } = endlessBody(Buffer.from(' '));
    const headers = { ...JSON_TYPE, 'content-length': String(MAX_REQUEST_BODY_BYTES + 1) };

    await expect(readBody(incomingRequest({ body: stream, headers }), openDeadline().signal)).rejects.toMatchObject({
      code: 'RequestBodyTooLarge',
    });
    expect(seen.pulls).toBe(0);
  });

  it.each(['-1', 'abc', '', '1'])('counts the bytes itself when the declared length is %j', async (length) => {
    const { stream } = endlessBody(Buffer.alloc(16_384));
    const headers = { ...JSON_TYPE, 'content-length': length };

    await expect(readBody(incomingRequest({ body: stream, headers }), openDeadline().signal)).rejects.toMatchObject({
      code: 'RequestBodyTooLarge',
    });
  });

  it('stops reading an endless body at the limit, and cancels nothing', async () => {
    const { stream, seen } = endlessBody(Buffer.alloc(16_384));

    await expect(readBody(incomingRequest({ body: stream }), openDeadline().signal)).rejects.toMatchObject({
      code: 'RequestBodyTooLarge',
    });
    expect(seen.pulls).toBeLessThan(50);
    expect(seen.cancelled).toBe(false); // Cancelling would reset the connection, and with it the answer.
  });

  it('gives up a stalled body at the deadline and answers 408', async () => {
    jest.useFakeTimers();
    try {
      const deadline = startDeadline(1_000);
      const reading = readBody(incomingRequest({ body: stalledBody() }), deadline.signal);
      const outcome = expect(reading).rejects.toMatchObject({ code: 'RequestBodyTimeout', status: 408 });

      await jest.advanceTimersByTimeAsync(1_000);

      await outcome;
    } finally {
      jest.useRealTimers();
    }
  });

  it('gives up when the caller goes away, and says so', async () => {
    const deadline = openDeadline();
    const reading = readBody(incomingRequest({ body: stalledBody() }), deadline.signal);

    deadline.pass(new ServiceError('CallerDisconnected', 'gone'));

    await expect(reading).rejects.toMatchObject({ code: 'CallerDisconnected', message: 'gone' });
  });

  it('says that the body broke off, with the reason for the log', async () => {
    const reset = new Error('ECONNRESET');
    async function* stream(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('{');
      throw reset;
    }

    await expect(readBody(incomingRequest({ body: stream() }), openDeadline().signal)).rejects.toMatchObject({
      code: 'CallerDisconnected',
      message: 'The body broke off.',
      cause: reset,
    });
  });

  it.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json; charset=utf8',
    'application/json; odata.metadata=minimal; charset=utf-8',
    'application/json;',
  ])('takes the media type %j', async (contentType) => {
    const request = incomingRequest({ headers: { 'content-type': contentType } });

    expect(await readBody(request, openDeadline().signal)).toHaveLength(2);
  });

  it.each([
    'text/plain',
    'text/json',
    'application/octet-stream',
    'application/jsonp',
    'application/json-patch+json',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-16',
    'application/json; charset=iso-8859-1',
    'application/json, text/plain',
    'json',
    '',
  ])('refuses the media type %j with 415, unread', async (contentType) => {
    const { stream, seen } = endlessBody(Buffer.from(' '));
    const request = incomingRequest({ headers: { 'content-type': contentType }, body: stream });

    await expect(readBody(request, openDeadline().signal)).rejects.toMatchObject({
      code: 'UnsupportedMediaType',
      status: 415,
    });
    expect(seen.pulls).toBe(0);
  });

  it('refuses a body without a media type', async () => {
    await expect(readBody(incomingRequest({ headers: {} }), openDeadline().signal)).rejects.toMatchObject({
      code: 'UnsupportedMediaType',
    });
  });

  it.each(['gzip', 'br', 'deflate', 'identity, gzip'])('refuses the content encoding %j', async (encoding) => {
    const request = incomingRequest({ headers: { ...JSON_TYPE, 'content-encoding': encoding } });

    await expect(readBody(request, openDeadline().signal)).rejects.toMatchObject({ code: 'UnsupportedMediaType' });
  });

  it.each(['identity', 'Identity'])('takes the content encoding %j', async (encoding) => {
    const request = incomingRequest({ headers: { ...JSON_TYPE, 'content-encoding': encoding } });

    expect(await readBody(request, openDeadline().signal)).toHaveLength(2);
  });
});
