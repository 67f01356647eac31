import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { preflightResponse, setCorsHeaders } from '../../../shared/server/crossOrigin.ts';
import { INFO } from '../../support/builders.ts';

const ADDIN = 'https://addin.contoso.example';

function headersFor(origin: string | undefined, allowedOrigins: readonly string[]): ReadonlyMap<string, unknown> {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  setCorsHeaders({ headers: { origin } }, response, allowedOrigins);
  return new Map(Object.entries(response.getHeaders()));
}

function preflight(headers: Readonly<Record<string, string>>, allowedOrigins: readonly string[] = [ADDIN]) {
  return preflightResponse({ get: (name) => headers[name] ?? null }, allowedOrigins, INFO);
}

describe('setCorsHeaders', () => {
  it('sets nothing on the answer to a request without Origin', () => {
    expect(headersFor(undefined, ['*']).size).toBe(0);
  });

  it('exposes headers and allows nothing if the origin is not allowed', () => {
    const headers = headersFor(ADDIN, []);

    expect([...headers.keys()]).toEqual(['access-control-expose-headers']);
    expect(String(headers.get('access-control-expose-headers')).split(', ')).toEqual(
      expect.arrayContaining(['Location', 'Retry-After', 'request-id']),
    );
  });

  it.each([
    [[ADDIN], ADDIN, 'Origin'],
    [['https://other.example', ADDIN], ADDIN, 'Origin'],
    [['*'], '*', undefined],
  ])('allows the origin with the list %j', (allowed, expected, vary) => {
    const headers = headersFor(ADDIN, allowed);

    expect([headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([expected, vary]);
    expect(headers.has('access-control-allow-credentials')).toBe(false);
  });

  it.each([
    'http://addin.contoso.example',
    'https://addin.contoso.example:8443',
    'https://addin.contoso.example.attacker.example',
    'https://ADDIN.contoso.example, https://addin.contoso.example',
    'null',
    '',
  ])('does not allow the origin %j', (origin) => {
    expect(headersFor(origin, [ADDIN]).has('access-control-allow-origin')).toBe(false);
  });
});

describe('preflightAnswer', () => {
  const ASKED = { origin: ADDIN, 'access-control-request-method': 'PUT' };

  it('allows every method of the API, and the headers that the page asks for', () => {
    const names = 'authorization,content-range, x-functions-key';

    expect(preflight({ ...ASKED, 'access-control-request-headers': names })).toEqual({
      status: 204,
      headers: {
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers': names,
        'access-control-max-age': '7200',
      },
      body: '',
    });
  });

  it.each(['x\r\nset-cookie: a=b', 'a:b', 'é', 'x'.repeat(2001)])('does not repeat the header names %j', (names) => {
    const { headers } = preflight({ ...ASKED, 'access-control-request-headers': names });

    expect(headers['access-control-allow-headers']).toBeUndefined();
  });

  it.each([
    [{ 'access-control-request-method': 'PUT' }, [ADDIN]],
    [{ origin: ADDIN }, [ADDIN]],
    [{ ...ASKED, origin: 'https://attacker.example' }, [ADDIN]],
    [ASKED, []],
  ])('refuses %j with the list %j', (headers, allowed) => {
    const response = preflight(headers, allowed);

    expect([response.status, response.headers['allow'], JSON.parse(response.body)]).toEqual([
      405,
      'GET, HEAD, POST, PUT, PATCH, DELETE',
      { error: expect.objectContaining({ code: 'MethodNotAllowed' }) },
    ]);
  });
});
