import fc from 'fast-check';
import { readBody } from '../../../shared/body/readBody.ts';
import { startDeadline } from '../../../shared/deadline.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { MAX_REQUEST_BODY_BYTES } from '../../../shared/limits.ts';
import { bodyOf, httpRequest, openDeadline } from '../../support/builders.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

interface Watched {
  readonly stream: ReadableStream<Uint8Array>;
  /** How many chunks were asked for, and whether the reader gave the stream up. */
  readonly seen: { pulls: number; cancelled: boolean };
}

/** A body that gives this chunk as often as it is asked. */
function endlessBody(chunk: Uint8Array): Watched {
  const seen = { pulls: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        seen.pulls += 1;
        controller.enqueue(chunk);
      },
      cancel() {
        seen.cancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, seen };
}

/** A body that gives one chunk and then nothing, not even an end. */
function stalledBody(): Watched {
  const seen = { pulls: 0, cancelled: false };
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(Buffer.from('{')),
    cancel() {
      seen.cancelled = true;
    },
  });
  return { stream, seen };
}

describe('readBody', () => {
  it('gives back the bytes as they were sent, however they were cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 20 }), async (chunks) => {
        const request = httpRequest({ body: bodyOf(...chunks) });

        const body = await readBody(request, openDeadline().signal);

        expect(body.equals(Buffer.concat(chunks))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it('reads the absence of a body as an empty one', async () => {
    const body = await readBody(httpRequest({ body: null }), openDeadline().signal);

    expect(body).toHaveLength(0);
  });

  it('takes a body of exactly the limit, declared or chunked', async () => {
    const full = Buffer.alloc(MAX_REQUEST_BODY_BYTES, ' ');
    const declared = { ...JSON_TYPE, 'content-length': String(full.length) };

    expect(await readBody(httpRequest({ body: full, headers: declared }), openDeadline().signal)).toHaveLength(
      full.length,
    );
    expect(await readBody(httpRequest({ body: full }), openDeadline().signal)).toHaveLength(full.length);
  });

  it('refuses one byte over the limit', async () => {
    const request = httpRequest({ body: Buffer.alloc(MAX_REQUEST_BODY_BYTES + 1) });

    await expect(readBody(request, openDeadline().signal)).rejects.toMatchObject({
      code: 'RequestBodyTooLarge',
      status: 413,
    });
  });

  it('refuses a declared length over the limit without reading', async () => {
    const { stream, seen } = endlessBody(Buffer.from(' '));
    const headers = { ...JSON_TYPE, 'content-length': String(MAX_REQUEST_BODY_BYTES + 1) };

    await expect(readBody(httpRequest({ body: stream, headers }), openDeadline().signal)).rejects.toMatchObject({
      code: 'RequestBodyTooLarge',
    });
    expect(seen.pulls).toBe(0);
  });

  it.each(['-1', 'abc', '', '1'])('counts the bytes itself when the declared length is %j', async (length) => {
    const { stream } = endlessBody(Buffer.alloc(16_384));
    const headers = { ...JSON_TYPE, 'content-length': length };

    await expect(readBody(httpRequest({ body: stream, headers }), openDeadline().signal)).rejects.toMatchObject({
      code: 'RequestBodyTooLarge',
    });
  });

  it('stops reading an endless body at the limit', async () => {
    const { stream, seen } = endlessBody(Buffer.alloc(16_384));

    await expect(readBody(httpRequest({ body: stream }), openDeadline().signal)).rejects.toMatchObject({
      code: 'RequestBodyTooLarge',
    });
    expect(seen).toEqual({ pulls: 5, cancelled: true });
  });

  it('gives up a stalled body at the deadline and answers 408', async () => {
    jest.useFakeTimers();
    try {
      const { stream, seen } = stalledBody();
      const deadline = startDeadline(1_000);
      const reading = readBody(httpRequest({ body: stream }), deadline.signal);
      const outcome = expect(reading).rejects.toMatchObject({ code: 'RequestBodyTimeout', status: 408 });

      await jest.advanceTimersByTimeAsync(1_000);

      await outcome;
      expect(seen.cancelled).toBe(true);
    } finally {
      jest.useRealTimers();
    }
  });

  it('gives up when the caller goes away, and says so', async () => {
    const { stream } = stalledBody();
    const deadline = openDeadline();
    const reading = readBody(httpRequest({ body: stream }), deadline.signal);

    deadline.pass(new ServiceError('CallerDisconnected', 'gone'));

    await expect(reading).rejects.toMatchObject({ code: 'CallerDisconnected', message: 'gone' });
  });

  it('says that the body broke off, with the reason for the log', async () => {
    const reset = new Error('ECONNRESET');
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from('{')),
      pull: (controller) => controller.error(reset),
    });

    await expect(readBody(httpRequest({ body: stream }), openDeadline().signal)).rejects.toMatchObject({
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
    const request = httpRequest({ headers: { 'content-type': contentType } });

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
    const request = httpRequest({ headers: { 'content-type': contentType }, body: stream });

    await expect(readBody(request, openDeadline().signal)).rejects.toMatchObject({
      code: 'UnsupportedMediaType',
      status: 415,
    });
    expect(seen.pulls).toBe(0);
  });

  it('refuses a body without a media type', async () => {
    await expect(readBody(httpRequest({ headers: {} }), openDeadline().signal)).rejects.toMatchObject({
      code: 'UnsupportedMediaType',
    });
  });

  it.each(['gzip', 'br', 'deflate', 'identity, gzip'])('refuses the content encoding %j', async (encoding) => {
    const request = httpRequest({ headers: { ...JSON_TYPE, 'content-encoding': encoding } });

    await expect(readBody(request, openDeadline().signal)).rejects.toMatchObject({ code: 'UnsupportedMediaType' });
  });

  it.each(['identity', 'Identity'])('takes the content encoding %j', async (encoding) => {
    const request = httpRequest({ headers: { ...JSON_TYPE, 'content-encoding': encoding } });

    expect(await readBody(request, openDeadline().signal)).toHaveLength(2);
  });
});
