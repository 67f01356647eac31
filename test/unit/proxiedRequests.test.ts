import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { onCallerDisconnect, watchProxiedRequests } from '../../shared/proxiedRequests.ts';

const requestStart = channel('http.server.request.start');

/** What Node publishes when its HTTP server takes a request. */
function startRequest(headers: Record<string, string | string[]>): EventEmitter {
  const response = new EventEmitter();
  requestStart.publish({ request: { headers }, response });
  return response;
}

beforeAll(() => watchProxiedRequests(60_000));

describe('onCallerDisconnect', () => {
  it('calls the listener when the connection of that invocation closes, and of no other', () => {
    const response = startRequest({ 'x-ms-invocation-id': 'a' });
    const other = startRequest({ 'x-ms-invocation-id': 'b' });
    const listener = jest.fn();
    onCallerDisconnect('a', listener);

    other.emit('close');
    expect(listener).not.toHaveBeenCalled();

    response.emit('close');
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it('does not call it once that is stopped', () => {
    const response = startRequest({ 'x-ms-invocation-id': 'c' });
    const listener = jest.fn();

    onCallerDisconnect('c', listener)();
    response.emit('close');

    expect(listener).not.toHaveBeenCalled();
  });

  it('calls it at once for a connection that has closed, and keeps nothing of it', () => {
    const response = startRequest({ 'x-ms-invocation-id': 'd' });
    response.emit('close');
    const listener = jest.fn();

    onCallerDisconnect('d', listener);
    response.emit('close');

    expect(listener).toHaveBeenCalledTimes(1);
    expect(response.listenerCount('close')).toBe(0);
  });

  it('takes no notice of requests that are not proxied, or of other messages', () => {
    const response = startRequest({ host: 'proxy.example' });
    for (const message of [undefined, null, 'text', {}, { request: {} }]) requestStart.publish(message);

    expect(response.listenerCount('close')).toBe(0);
    expect(onCallerDisconnect('unknown', jest.fn())).toEqual(expect.any(Function));
  });
});
