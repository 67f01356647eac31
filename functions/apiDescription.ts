import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lazy } from '../shared/common/lazy.ts';
import type { RequestMatcher } from '../shared/server/requestMatcher.ts';
import { errorResponse } from '../shared/server/response.ts';
import { addressOpenApi, addressPage, addressSwagger } from './addressDescription.ts';
import type { Platform } from './platform.ts';
import { type HttpResponse, toHttpResponse } from './toHttpResponse.ts';

/**
 * The viewer's scripts come from this app and nothing is fetched from elsewhere. It styles itself with inline styles,
 * which cannot run or send anything; the page shows no text but our own.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "connect-src 'self'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Serves the description of the API, open to all: `GET openapi.json`, `swagger.json`, and `docs` for people. `folder` is
 * where the build wrote the files; each is read when it is first asked for, so that a start does not pay for them.
 */
export function registerApiDescription({ http }: Platform, folder: string, requests: RequestMatcher): void {
  const file = (name: string) => lazy(() => readFile(join(folder, name)));
  const openApi = file('openapi.json');
  const swagger = file('swagger.json');
  const page = file('docs.html');
  const viewer = file('docsViewer.js');
  const register = (name: string, route: string, answerAt: (url: URL) => Promise<HttpResponse>) =>
    http(name, {
      methods: ['GET'],
      authLevel: 'anonymous',
      route,
      handler: async (_request, context) => {
        const read = requests.taken(context.invocationId);
        if (read.kind === 'read') return answerAt(read.request.url);
        const ids = { requestId: context.invocationId, clientRequestId: context.invocationId };
        return toHttpResponse(errorResponse(read.fault, ids, new Date()));
      },
    });
  register('apiOpenapi', 'openapi.json', async ({ href }) =>
    document(addressOpenApi((await openApi()).toString(), href)),
  );
  register('apiSwagger', 'swagger.json', async ({ href }) =>
    document(addressSwagger((await swagger()).toString(), href)),
  );
  register('apiDocs', 'docs', async ({ pathname, href }) => {
    // The platform's routing takes `docs/` as well, but from there the page's own addresses lead elsewhere.
    if (pathname.endsWith('/')) return { status: 308, headers: { location: '../docs' } };
    const html = addressPage((await page()).toString(), href);
    return answer(Buffer.from(html), 'text/html; charset=utf-8', {
      'content-security-policy': PAGE_POLICY,
      'referrer-policy': 'no-referrer',
    });
  });
  register('apiDocsViewer', 'docs/viewer.js', async () => answer(await viewer(), 'text/javascript; charset=utf-8'));
}

/** The Logic Apps designer fetches the document from the portal's page (learn.microsoft.com/azure/logic-apps/call-azure-functions-from-workflows). */
function document(text: string): HttpResponse {
  return answer(Buffer.from(text), 'application/json', { 'access-control-allow-origin': '*' });
}

/** Nobody may store it: a document follows the Host header, and a page must not outlive its viewer. */
function answer(body: Buffer, contentType: string, headers: Record<string, string> = {}): HttpResponse {
  return {
    headers: {
      ...headers,
      'content-type': contentType,
      'content-length': String(body.byteLength),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
    body,
  };
}
