import type { Client, Middleware, ResponseType } from '@microsoft/microsoft-graph-client';

export interface GraphClient {
  readonly client: Client;
  /** The response type that leaves the answer to the middleware, whatever its status. */
  readonly raw: ResponseType;
}

/**
 * The Graph SDK's client with a chain of our own, which is the given handler alone. Of the SDK's default handlers none is
 * used: authentication sends no token outside a list of hosts, retry ignores the deadline, redirect sends the body to
 * any host. `debugLogging` stays off: it prints URLs.
 */
export async function createGraphClient(origin: string, middleware: Middleware): Promise<GraphClient> {
  const { Client, ResponseType } = await import('./graphLibrary.ts');
  return { client: Client.initWithMiddleware({ baseUrl: `${origin}/`, middleware }), raw: ResponseType.RAW };
}
