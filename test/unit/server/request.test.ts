import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { readIncomingRequest } from '../../../shared/server/request.ts';

const FORWARDED = ['x-forwarded-host', 'proxy.example', 'x-forwarded-proto', 'http'];

/** A message as the worker's server has it. */
function arrived(url: string, rawHeaders: string[] = FORWARDED) {
  const message = Object.assign(new IncomingMessage(new Socket()), { method: 'PUT', url, rawHeaders });
  const response = new ServerResponse(message);
  return { response, read: readIncomingRequest(message, response, false) };
}

describe('readIncomingRequest', () => {
  it.each([
    ['proxy.example', 'https://proxy.example/api/me?a=b%20c'],
    ['proxy.example:8443', 'https://proxy.example:8443/api/me?a=b%20c'],
    ['localhost:7071', 'http://localhost:7071/api/me?a=b%20c'],
    ['127.0.0.1', 'http://127.0.0.1/api/me?a=b%20c'],
    ['[::1]:80', 'http://[::1]/api/me?a=b%20c'],
    ['localhost.example', 'https://localhost.example/api/me?a=b%20c'],
  ])('takes https for every host but a loopback one (%s)', (host, href) => {
    const { read } = arrived('/api/me?a=b%20c', ['x-forwarded-host', host]);

    expect(read).toMatchObject({ kind: 'read', request: { method: 'PUT', url: new URL(href) } });
  });

  it('takes the scheme that the host names, on a loopback host', () => {
    const { read } = arrived('/api/me', ['x-forwarded-host', '127.0.0.1:7072', 'x-forwarded-proto', 'https']);

    expect(read).toMatchObject({ kind: 'read', request: { url: new URL('https://127.0.0.1:7072/api/me') } });
  });

  it.each([
    ['/api', []],
    ['/api', ['x-forwarded-host', '']],
    ['/api', ['x-forwarded-host', 'a b']],
    ['/api', ['x-forwarded-host', 'proxy.example:99999']],
    ['/api', ['x-forwarded-host', 'user:secret@proxy.example']],
    ['*', FORWARDED],
    ['http://elsewhere.example/api', FORWARDED],
  ])('finds a fault in the address %s of %j', (url, rawHeaders) => {
    expect(arrived(url, rawHeaders).read).toMatchObject({ kind: 'faulty', fault: { code: 'InvalidRequest' } });
  });

  it('reads headers in any letter case, joins repeated ones, and knows which are absent', () => {
    const { read } = arrived('/', [...FORWARDED, 'Prefer', 'one', 'PREFER', 'two', 'If-Match', '']);
    const { headers } = read.request;

    expect([headers.get('prefer'), headers.get('if-match'), headers.get('range')]).toEqual(['one, two', '', null]);
  });

  it('is not tripped by headers that are named as members of every object are', () => {
    const { headers } = arrived('/', [...FORWARDED, '__proto__', 'a', 'constructor', 'b']).read.request;

    expect([headers.get('__proto__'), headers.get('constructor'), headers.get('tostring')]).toEqual(['a', 'b', null]);
  });

  it('says once that the caller has gone, also where that came first', () => {
    const { read, response } = arrived('/');
    if (read.kind !== 'read') throw read.fault;
    const [before, after, stopped] = [jest.fn(), jest.fn(), jest.fn()];
    read.request.onCallerGone(before);
    read.request.onCallerGone(stopped)();

    response.destroy();
    response.emit('close');
    read.request.onCallerGone(after);

    expect([before, after, stopped].map(({ mock }) => mock.calls.length)).toEqual([1, 1, 0]);
  });
});
