import type { Span, SpanContext } from '@opentelemetry/api';
import packageJson from '../../package.json' with { type: 'json' };
import type { GraphCall } from './graphClient.ts';

/** One attempt at Graph as a trace shows it. */
export interface GraphSpan {
  /** Sent to Graph, so that its part belongs to the same trace. */
  readonly traceParent: string | undefined;
  /** @param status Graph's, or 0 without a response */
  end(status: number): void;
}

type SpannedCall = Pick<GraphCall, 'operation' | 'method' | 'kind' | 'traceParent'>;

/** Makes a span per attempt. Spans name the kind of item and the status, but no id or URL, so nothing needs redacting. */
export interface GraphSpans {
  start(call: SpannedCall, attempt: number): GraphSpan;
  /** Sends all spans that are still buffered. */
  flush(): Promise<void>;
}

/** Without an exporter the platform's own trace is sent to Graph unchanged. */
export const noSpans: GraphSpans = {
  start: ({ traceParent }) => ({ traceParent, end: () => {} }),
  flush: async () => {},
};

/**
 * Spans of the calls to Graph, sent over OTLP/HTTP in batches. The platform's host reports the requests themselves
 * (host.json, telemetryMode).
 *
 * @param endpoint OTEL_EXPORTER_OTLP_ENDPOINT, without `/v1/traces`
 */
export async function createGraphSpans(endpoint: string, graphOrigin: string): Promise<GraphSpans> {
  const {
    BasicTracerProvider,
    BatchSpanProcessor,
    OTLPTraceExporter,
    ROOT_CONTEXT,
    resourceFromAttributes,
    SpanKind,
    SpanStatusCode,
    trace,
  } = await import('./telemetryLibrary.ts');
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': packageJson.name, 'service.version': packageJson.version }),
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${endpoint}/v1/traces` }))],
  });
  const tracer = provider.getTracer(packageJson.name, packageJson.version);
  const serverAddress = new URL(graphOrigin).hostname;

  return {
    start({ operation, method, kind, traceParent }, attempt) {
      const parent = parseTraceParent(traceParent);
      const context = parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent);
      const attributes = {
        'http.request.method': method,
        'server.address': serverAddress,
        'url.template': templateOf(kind, operation),
        ...(attempt > 1 && { 'http.request.resend_count': attempt - 1 }),
      };
      const span = tracer.startSpan(`${method} ${operation}`, { kind: SpanKind.CLIENT, attributes }, context);
      return {
        traceParent: formatTraceParent(span),
        end(status) {
          if (status > 0) span.setAttribute('http.response.status_code', status);
          if (status === 0 || status >= 400) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    flush: () => provider.forceFlush(),
  };
}

function templateOf(kind: string, operation: GraphCall['operation']): string {
  if (operation === 'attachments') return `/${kind}/attachments`;
  return operation === 'createUploadSession' ? `/${kind}/attachments/${operation}` : `/${kind}/${operation}`;
}

/** W3C Trace Context, section 3.2; requestInfo.ts has checked the form. */
function parseTraceParent(traceParent: string | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] = traceParent?.split('-') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

function formatTraceParent(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
