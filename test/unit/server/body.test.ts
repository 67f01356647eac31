import { PassThrough, Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { DRAIN_TIMEOUT_MS, MAX_DISCARDED_BYTES } from '../../../shared/common/limits.ts';
import { CONTINUE_AFTER_MS, createRequestBody } from '../../../shared/server/body.ts';

const SIGNAL = new AbortController().signal;

interface Parts {
  readonly headers?: Record<string, string>;
  readonly expectsContinue?: boolean;
}

function bodyOver(stream: Readable, { headers = {}, expectsContinue = false }: Parts = {}) {
  const request = Object.assign(stream, { headers, complete: false });
  const writeContinue = jest.fn();
  return { writeContinue, body: createRequestBody(request, { writeContinue }, expectsContinue) };
}

describe('read', () => {
  it('gives the bytes in order, then undefined, also when asked again', async () => {
    const { body } = bodyOver(Readable.from([Buffer.from('ab'), Buffer.from('c')]));
    const read = async () => (await body.read(SIGNAL))?.toString();

    expect([await read(), await read(), await read(), await read()]).toEqual(['ab', 'c', undefined, undefined]);
  });

  it('ends with the reason of the signal, and loses nothing by it', async () => {
    const stream = new PassThrough();
    const { body } = bodyOver(stream);
    const controller = new AbortController();
    const given = body.read(controller.signal);
    controller.abort(new Error('time is up'));
    await expect(given).rejects.toThrow('time is up');

    stream.write('late');

    expect(String(await body.read(SIGNAL))).toBe('late');
  });

  it('says that the caller has gone where the body breaks off', async () => {
    const stream = new PassThrough();
    const { body } = bodyOver(stream);
    const given = body.read(SIGNAL);
    stream.destroy(new Error('aborted'));

    await expect(given).rejects.toMatchObject({ code: 'CallerDisconnected' });
    expect(await body.read(SIGNAL)).toBeUndefined();
  });

  it('asks for the body once, at the first read, where the caller waits for that', async () => {
    const { body, writeContinue } = bodyOver(Readable.from([Buffer.from('a')]), { expectsContinue: true });
    expect(writeContinue).not.toHaveBeenCalled();

    await body.read(SIGNAL);
    await body.read(SIGNAL);

    expect(writeContinue).toHaveBeenCalledTimes(1);
  });
});

describe('declaredBytes', () => {
  it.each([
    [{}, undefined],
    [{ 'content-length': '0' }, 0],
    [{ 'content-length': '104857600' }, 104_857_600],
    [{ 'content-length': '1e3' }, undefined],
    [{ 'content-length': '-1' }, undefined],
  ])('reads %j as %s', (headers: Record<string, string>, expected) => {
    expect(bodyOver(Readable.from([]), { headers }).body.declaredBytes).toBe(expected);
  });
});

describe('drain', () => {
  it('takes what was not read to the end, without destroying the request', async () => {
    const request = Readable.from([Buffer.from('a'), Buffer.from('b')], { autoDestroy: false });
    const { body } = bodyOver(request);
    await body.read(SIGNAL);

    await body.drain();

    expect([request.readableEnded, request.destroyed]).toEqual([true, false]);
    expect(await body.read(SIGNAL)).toBeUndefined();
  });

  it('takes over from a read that was given up', async () => {
    const request = new PassThrough({ autoDestroy: false });
    const { body } = bodyOver(request);
    const given = body.read(AbortSignal.abort(new Error('time is up')));
    await expect(given).rejects.toThrow('time is up');

    const drained = body.drain();
    request.end('rest');
    await drained;

    expect([request.readableEnded, request.destroyed]).toEqual([true, false]);
  });

  it('asks for nothing where the caller still waits to be asked', async () => {
    const request = new PassThrough();
    const { body, writeContinue } = bodyOver(request, { expectsContinue: true });

    await body.drain();

    expect(writeContinue).not.toHaveBeenCalled();
    expect(request.destroyed).toBe(false);
  });

  it('discards a body that was asked for because the host would send it anyway', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    try {
      const request = new PassThrough({ autoDestroy: false });
      const { body, writeContinue } = bodyOver(request, { expectsContinue: true });
      jest.advanceTimersByTime(CONTINUE_AFTER_MS - 1);
      expect(writeContinue).not.toHaveBeenCalled();
      jest.advanceTimersByTime(1);
      expect(writeContinue).toHaveBeenCalledTimes(1);

      const drained = body.drain();
      request.end('rest');
      await drained;

      expect([request.readableEnded, request.destroyed]).toEqual([true, false]);
      expect(writeContinue).toHaveBeenCalledTimes(1);
    } finally {
      jest.useRealTimers();
    }
  });

  it('never fails where the body breaks off', async () => {
    const request = new PassThrough();
    const { body } = bodyOver(request);
    const drained = body.drain();

    request.destroy(new Error('aborted'));

    await expect(drained).resolves.toBeUndefined();
  });

  it('breaks off a body that has not ended in time', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    try {
      const request = new PassThrough();
      const { body } = bodyOver(request);
      const drained = body.drain();
      request.write('and so on');
      await turn();

      jest.advanceTimersByTime(DRAIN_TIMEOUT_MS - 1);
      expect(request.destroyed).toBe(false);
      jest.advanceTimersByTime(1);

      expect(request.destroyed).toBe(true);
      await drained;
    } finally {
      jest.useRealTimers();
    }
  });

  it('breaks off a body that is longer than the platform takes', async () => {
    const chunk = Buffer.alloc(1024 * 1024);
    let bytes = 0;
    const request = new Readable({
      read() {
        bytes += chunk.byteLength;
        this.push(chunk);
      },
    });
    const { body } = bodyOver(request);

    await body.drain();

    expect(request.destroyed).toBe(true);
    expect(bytes).toBeLessThan(MAX_DISCARDED_BYTES + 8 * chunk.byteLength);
  });
});
