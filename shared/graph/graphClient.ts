import { Client, type Middleware } from '@microsoft/microsoft-graph-client';

/**
 * The Graph SDK's client with a chain of our own, which is the given handler alone. Of the SDK's default handlers none is
 * used: authentication sends no token outside a list of hosts, retry ignores the deadline, redirect sends the body to
 * any host. `debugLogging` stays off: it prints URLs.
 */
export function createGraphClient(origin: string, middleware: Middleware): Client {
  return Client.initWithMiddleware({ baseUrl: `${origin}/`, middleware });
}
