const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/;
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * The code of an error that a stock Graph client can read: `{error: {code, message, innerError: {date, request-id,
 * client-request-id}}}`, the ids the same as in the headers. Anything else gives `no Graph shape`.
 */
export function readError(answer: Pick<Response, 'headers'>, body: string): string {
  const error = member(parse(body), 'error');
  const code = member(error, 'code');
  const inner = member(error, 'innerError');
  const ids = ['request-id', 'client-request-id'].every((name) => {
    const id = member(inner, name);
    return typeof id === 'string' && GUID.test(id) && id === answer.headers.get(name);
  });
  const date = member(inner, 'date');
  const isReadable = typeof member(error, 'message') === 'string' && typeof date === 'string' && DATE.test(date);
  const isJson = answer.headers.get('content-type') === 'application/json';
  return typeof code === 'string' && isReadable && ids && isJson ? code : 'no Graph shape';
}

export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
