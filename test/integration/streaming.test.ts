import { expectGraphError } from '../support/site.ts';
import { startThrowingApp, type ThrowingApp } from '../support/throwingApp/startThrowingApp.ts';
import { until } from '../support/until.ts';

/** Far under the minutes that the platform waits for a handler that never answers. */
const ANSWER_WITHIN_MS = 60_000;

let app: ThrowingApp;

beforeAll(async () => {
  app = await startThrowingApp();
});
afterAll(() => app.close());

function call(name: string, init: RequestInit = {}): Promise<Response> {
  return fetch(`${app.url}/api/${name}`, { ...init, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
}

/** An answer may overtake its log line. */
function failureLine(response: Response): Promise<Record<string, unknown>> {
  const read = () =>
    app.lines
      .filter(({ message }) => message.startsWith('{"event":"request"'))
      .map(({ message }): Record<string, unknown> => JSON.parse(message));
  return until('its log line', () => read().find(({ requestId }) => requestId === response.headers.get('request-id')));
}

const FAILURES = [
  ['throws', 'Error: Thrown on purpose, next to a token: Bearer ***'],
  ['rejects', 'TypeError: Rejected on purpose.'],
  ['throwsText', 'A text, not an error.'],
  ['throwsNull', expect.any(String)],
  ['throwsUndefined', expect.any(String)],
  ['returnsNothing', 'The handler returned nothing.'],
  ['returnsNull', expect.any(String)],
  ['returnsText', expect.any(String)],
] as const;

test.each(FAILURES)('answers 500 in the shape of Graph when a handler %s, and logs why', async (name, cause) => {
  const response = await call(name);

  const { message } = await expectGraphError(response, 500, 'InternalError');
  expect(message).not.toMatch(/purpose|text/);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  const line = await failureLine(response);
  expect(line).toEqual(expect.objectContaining({ code: 'InternalError', status: 500, cause }));
  expect(JSON.stringify(line)).not.toMatch(/\sat \S.*:\d+:\d+/);
});

test('answers 500 though the body of the request was not read', async () => {
  const response = await call('throws', { method: 'POST', body: 'x'.repeat(1_000_000) });

  await expectGraphError(response, 500, 'InternalError');
});

test('lets a sound answer through as it is', async () => {
  const response = await call('answers');

  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ answered: true });
});
