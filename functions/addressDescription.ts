/**
 * The documents with the address under which they were asked for, so that a client made from one calls the same app.
 * The platform makes the request's URL of the Host header. Keys and tokens must not go in clear, so only a loopback
 * address keeps its own scheme: elsewhere TLS may have ended before the app.
 */

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** The text of an OpenAPI document, with its server made absolute. */
export function addressOpenApi(text: string, requestUrl: string): string {
  const { scheme, host } = addressOf(requestUrl);
  const document: { readonly servers: readonly { readonly url: string }[] } = JSON.parse(text);
  const servers = document.servers.map(({ url }) => ({ url: `${scheme}://${host}${url}` }));
  return JSON.stringify({ ...document, servers });
}

/** The text of a Swagger document, with host and schemes. */
export function addressSwagger(text: string, requestUrl: string): string {
  const { scheme, host } = addressOf(requestUrl);
  const document: Readonly<Record<string, unknown>> = JSON.parse(text);
  return JSON.stringify({ ...document, host, schemes: [scheme] });
}

const NO_CONSOLE = 'hide-console="true"';

/**
 * The page for people. Only on this machine does it send requests: elsewhere one would have to type a key or a token into it.
 */
export function addressPage(html: string, requestUrl: string): string {
  const isHere = LOOPBACK.has(new URL(requestUrl).hostname);
  return isHere ? html.replace(NO_CONSOLE, 'hide-console="false"') : html;
}

function addressOf(requestUrl: string): { scheme: string; host: string } {
  const { protocol, hostname, host } = new URL(requestUrl);
  return { scheme: LOOPBACK.has(hostname) ? protocol.replace(':', '') : 'https', host };
}
