import { ADELE } from '../../local/emulators/graph/seed.ts';
import type { Answer, GraphBench } from './emulators.ts';

export const USER = `/v1.0/users/${ADELE.id}`;
export const MARKER = 'String {6f1a2d52-2f6d-4e0c-9c3f-0d6a3c1b7e11} Name Caller';
export const IMMUTABLE = { prefer: 'IdType="ImmutableId"' };

export const to = (...addresses: string[]) => addresses.map((address) => ({ emailAddress: { address } }));

/** A message that may be sent. */
export function mail(members: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    subject: 'Plan',
    body: { contentType: 'text', content: 'Hello' },
    toRecipients: to('megan@contoso.example'),
    ...members,
  };
}

/** A call with a JSON body, for immutable ids unless `headers` say otherwise. */
export function post(
  bench: GraphBench,
  path: string,
  body: unknown,
  headers: Record<string, string> = IMMUTABLE,
  method = 'POST',
): Promise<Answer> {
  return bench.call(method, `${USER}${path}`, {
    headers: { authorization: `Bearer ${bench.token()}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

export function get(bench: GraphBench, path: string, headers: Record<string, string> = IMMUTABLE): Promise<Answer> {
  return bench.call('GET', `${USER}${path}`, { headers: { authorization: `Bearer ${bench.token()}`, ...headers } });
}

/** The immutable id of a new draft. */
export async function createDraft(bench: GraphBench, members: Record<string, unknown> = {}): Promise<string> {
  const { status, json } = await post(bench, '/messages', mail(members));
  expect(status).toBe(201);
  return String(json['id']);
}

export async function findIn(bench: GraphBench, folder: string, filter: string): Promise<unknown[]> {
  const { json } = await get(bench, `/mailFolders/${folder}/messages?$filter=${encodeURIComponent(filter)}`);
  return (json['value'] as { id: string }[]).map(({ id }) => id); // The emulator's own body.
}
