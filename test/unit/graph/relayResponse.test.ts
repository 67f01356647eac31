import { relayResponse } from '../../../shared/graph/relayResponse.ts';
import { SESSION_BODY, thrownBy, upstreamAnswer } from '../../support/builders.ts';

const GRAPH_ERROR = JSON.stringify({ error: { code: 'ErrorItemNotFound', message: 'Not found.', innerError: {} } });

describe('relay', () => {
  it.each([200, 201])('gives back an uploadSession with status %d, byte for byte', (status) => {
    const body = ` ${SESSION_BODY}\n`;

    expect(relayResponse(upstreamAnswer(status, body))).toEqual({ status, headers: {}, body });
  });

  it.each([
    ['the form of the specification', { value: { uploadUrl: 'https://a.example/' } }],
    ['capitals', { UploadUrl: 'https://a.example/' }],
    ['capitals below value', { value: { UploadUrl: 'https://a.example/' } }],
  ])('knows an uploadSession in %s', (_, body) => {
    expect(relayResponse(upstreamAnswer(200, JSON.stringify(body)))).toHaveProperty('body', JSON.stringify(body));
  });

  it.each([
    ['no body', ''],
    ['HTML', '<html></html>'],
    ['a truncated session', SESSION_BODY.slice(0, -1)],
    ['an array', '[{"uploadUrl":"https://a.example/"}]'],
    ['null', 'null'],
    ['another object', '{"id":"AAMk"}'],
    ['an empty uploadUrl', '{"uploadUrl":""}'],
    ['an uploadUrl that is no text', '{"uploadUrl":{}}'],
    ['a value that is no session', '{"value":[{"uploadUrl":"https://a.example/"}]}'],
    ['an error with status 200', GRAPH_ERROR],
  ])('does not relay %s as a session', (_, body) => {
    for (const status of [200, 201]) {
      expect(thrownBy(() => relayResponse(upstreamAnswer(status, body)))).toMatchObject({
        code: 'GraphAnswerInvalid',
        status: 502,
      });
    }
  });

  it.each([202, 204, 206, 301, 302, 307, 308, 500, 501, 502, 505, 507, 599])(
    'answers 502 for the status %d, whatever its body',
    (status) => {
      for (const body of ['', SESSION_BODY, GRAPH_ERROR]) {
        expect(
          thrownBy(() => relayResponse(upstreamAnswer(status, body, { location: 'https://elsewhere.example/' }))),
        ).toMatchObject({
          code: 'GraphAnswerInvalid',
          status: 502,
          headers: {},
        });
      }
    },
  );

  it.each([400, 403, 404, 405, 409, 410, 412, 413, 422, 423, 429, 503, 504])(
    'relays an error of Graph with status %d unchanged',
    (status) => {
      expect(relayResponse(upstreamAnswer(status, GRAPH_ERROR))).toEqual({ status, headers: {}, body: GRAPH_ERROR });
    },
  );

  it.each([
    [400, 'GraphRefused', 400],
    [403, 'GraphRefused', 403],
    [404, 'GraphRefused', 404],
    [418, 'GraphRefused', 418],
    [429, 'GraphThrottled', 429],
    [503, 'GraphUnavailable', 503],
    [504, 'TimedOut', 504],
  ])('gives status %d without an error body of Graph one of ours: %s', (status, code, expected) => {
    for (const body of [
      '',
      '<html>',
      '{"error":"x"}',
      '{"error":{"message":"x"}}',
      '{"error":{"code":5}}',
      '[]',
      'null',
    ]) {
      expect(thrownBy(() => relayResponse(upstreamAnswer(status, body)))).toMatchObject({ code, status: expected });
    }
  });

  it("makes Graph's 401 our own failure, also with an error body", () => {
    for (const body of ['', GRAPH_ERROR]) {
      expect(thrownBy(() => relayResponse(upstreamAnswer(401, body)))).toMatchObject({
        code: 'GraphRejectedToken',
        status: 502,
      });
    }
  });

  it.each([
    [201, SESSION_BODY],
    [429, GRAPH_ERROR],
  ])('passes on the headers of a short list with status %d', (status, body) => {
    const passed = {
      'request-id': 'a',
      'client-request-id': 'b',
      'retry-after': '7',
      'x-ms-ags-diagnostic': '{"ServerInfo":{}}',
    };
    const kept = {
      'content-type': 'application/json',
      'content-length': '5',
      'content-encoding': 'identity',
      'transfer-encoding': 'chunked',
      'set-cookie': 'c',
      'strict-transport-security': 'd',
      'www-authenticate': 'Bearer',
      location: 'https://graph.example/',
      connection: 'close',
    };

    expect(relayResponse(upstreamAnswer(status, body, { ...passed, ...kept })).headers).toEqual(passed);
  });

  it('keeps Retry-After where the error is ours', () => {
    expect(
      thrownBy(() => relayResponse(upstreamAnswer(429, '', { 'retry-after': '7', 'set-cookie': 'c' }))),
    ).toHaveProperty('headers', {
      'retry-after': '7',
    });
  });

  it('never quotes what Graph sent', () => {
    for (const status of [200, 302, 401, 404, 500, 503]) {
      expect(thrownBy(() => relayResponse(upstreamAnswer(status, '<p>Zq7-marker</p>')))).toHaveProperty(
        'message',
        expect.not.stringContaining('Zq7-marker'),
      );
    }
  });
});
