import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ADELE } from '../../local/emulators/graph/seed.ts';
import { ATTACHMENT_ITEM, postJson, startSite } from '../support/site.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';

/** A collector that keeps what is sent to it: opentelemetry.io/docs/specs/otlp, OTLP/HTTP with JSON. */
async function startCollector() {
  const received: { path: string | undefined; body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push({ path: request.url, body });
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, received, close: () => server.close() };
}

test('sends a span for each attempt at Graph, in the trace of the request, without an id or an address', async () => {
  const collector = await startCollector();
  const site = await startSite({ settings: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } });
  const messageId = ADELE.items.message[0];
  const path = `/me/messages/${messageId}/attachments/createUploadSession`;

  const response = await postJson(`${site.api}${path}`, ATTACHMENT_ITEM, {
    traceparent: `00-${TRACE_ID}-b7ad6b7169203331-01`,
  });
  const [upstream] = site.graph.requests;
  const line = await site.findEvent('request');
  await site.close(); // Ends the app, which sends what it holds.
  collector.close();

  expect(response.status).toBe(201);
  expect(collector.received.map(({ path }) => path)).toEqual(['/v1/traces']);
  const [{ body } = { body: '{}' }] = collector.received;
  const [span] = JSON.parse(body).resourceSpans[0].scopeSpans[0].spans;
  const platformSpanId = String(line['traceparent']).split('-')[2];
  expect(span).toMatchObject({ name: 'POST createUploadSession', traceId: TRACE_ID, parentSpanId: platformSpanId });
  expect(upstream?.headers['traceparent']).toBe(`00-${TRACE_ID}-${span.spanId}-01`);
  expect(body).not.toContain(messageId);
  expect(body).not.toContain(ADELE.userPrincipalName);
  expect(body).not.toContain('authtoken');
});
