import { abortable, mapTimeout, pause, startDeadline } from '../../../shared/common/deadline.ts';
import { ServiceError } from '../../../shared/errors.ts';

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  jest.useRealTimers();
});

describe('startDeadline', () => {
  it('passes once the time is over, with the error to answer', () => {
    const { signal } = startDeadline(1_000);

    jest.advanceTimersByTime(999);
    expect(signal.aborted).toBe(false);

    jest.advanceTimersByTime(1);
    expect(signal.reason).toMatchObject({ code: 'TimedOut', status: 504 });
  });

  it('says what is left, also after its end', () => {
    const deadline = startDeadline(1_000);

    jest.advanceTimersByTime(300);
    expect(deadline.remainingMs()).toBe(700);

    jest.advanceTimersByTime(800);
    expect(deadline.remainingMs()).toBe(-100);
  });

  it('ends the work when the caller goes away', () => {
    const { signal, cancel } = startDeadline(1_000);

    cancel();
    jest.advanceTimersByTime(2_000);

    expect(signal.reason).toMatchObject({ code: 'CallerDisconnected', status: 499 });
  });

  it('leaves no timer once the answer is known', () => {
    const { signal, end } = startDeadline(1_000);

    end();

    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(2_000);
    expect(signal.aborted).toBe(false);
  });
});

describe('pause', () => {
  it('ends after its time', async () => {
    let isOver = false;
    const pausing = pause(1_000, new AbortController().signal).then(() => {
      isOver = true;
    });

    await jest.advanceTimersByTimeAsync(999);
    expect(isOver).toBe(false);

    await jest.advanceTimersByTimeAsync(1);
    await pausing;
    expect(isOver).toBe(true);
  });

  it("rejects with the signal's reason when it aborts, and leaves no timer", async () => {
    const controller = new AbortController();
    const pausing = pause(1_000, controller.signal);

    controller.abort('too late');

    await expect(pausing).rejects.toBe('too late');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('does not begin where the signal has aborted', async () => {
    await expect(pause(1_000, AbortSignal.abort('gone'))).rejects.toBe('gone');
    expect(jest.getTimerCount()).toBe(0);
  });

  it('does not listen on once its time is over', async () => {
    const { signal } = new AbortController();
    const added = jest.spyOn(signal, 'addEventListener');
    const removed = jest.spyOn(signal, 'removeEventListener');

    const pausing = pause(1_000, signal);
    await jest.advanceTimersByTimeAsync(1_000);
    await pausing;

    expect(removed).toHaveBeenCalledWith('abort', added.mock.calls[0]?.[1]);
  });
});

describe('abortable', () => {
  it('settles as the work does while the signal is quiet', async () => {
    const { signal } = new AbortController();

    await expect(abortable(Promise.resolve(7), signal)).resolves.toBe(7);
    await expect(abortable(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
  });

  it("rejects with the signal's reason when it aborts first", async () => {
    const controller = new AbortController();
    const waiting = abortable(new Promise(() => {}), controller.signal);

    controller.abort('too late');

    await expect(waiting).rejects.toBe('too late');
  });

  it('rejects at once where the signal has aborted, and takes no notice of how the work ends', async () => {
    await expect(abortable(Promise.resolve(7), AbortSignal.abort('gone'))).rejects.toBe('gone');
    await expect(abortable(Promise.reject(new Error('broken')), AbortSignal.abort('gone'))).rejects.toBe('gone');
  });

  it('does not listen on once the work has ended', async () => {
    const { signal } = new AbortController();
    const added = jest.spyOn(signal, 'addEventListener');
    const removed = jest.spyOn(signal, 'removeEventListener');

    await abortable(Promise.resolve(), signal);
    await Promise.resolve();

    expect(removed).toHaveBeenCalledWith('abort', added.mock.calls[0]?.[1]);
  });
});

describe('orLate', () => {
  const late = () => new ServiceError('RequestBodyTimeout', 'late');

  it('settles as the work does', async () => {
    const failure = new ServiceError('CallerDisconnected', 'gone');

    await expect(mapTimeout(Promise.resolve(7), late)).resolves.toBe(7);
    await expect(mapTimeout(Promise.reject(failure), late)).rejects.toBe(failure);
  });

  it('names who was waited for where the time ran out', async () => {
    const timedOut = new ServiceError('TimedOut', 'The time passed.');

    await expect(mapTimeout(Promise.reject(timedOut), late)).rejects.toMatchObject({ code: 'RequestBodyTimeout' });
  });
});
