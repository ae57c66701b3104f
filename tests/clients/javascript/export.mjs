// An application with OpenTelemetry's JavaScript SDK; its HTTP exporter sends OTLP/JSON. Prints the trace id.
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { context, trace } from "@opentelemetry/api";

const exporter = new OTLPTraceExporter({
  url: `${process.env.PORTAL_RECEIVER}/v1/traces`,
  headers: { "x-api-key": process.env.PORTAL_KEY },
  compression: process.env.PORTAL_COMPRESSION,
});
const provider = new BasicTracerProvider({
  resource: resourceFromAttributes({ "service.name": "browser", "process.pid": 42 }),
  spanProcessors: [new BatchSpanProcessor(exporter)],
});
const tracer = provider.getTracer("js-test", "1.2.3");
const root = tracer.startSpan("결제", {
  kind: SpanKind.SERVER,
  attributes: { ratio: 0.25, whole: 3, retried: false, tags: ["가", "b"], numbers: [1, 2.5] },
});
const call = tracer.startSpan(
  "chat gpt-4o-mini",
  {
    kind: SpanKind.CLIENT,
    attributes: {
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "gpt-4o-mini",
      "gen_ai.usage.input_tokens": 42,
      "gen_ai.usage.output_tokens": 17,
    },
  },
  trace.setSpan(context.active(), root),
);
call.addEvent("first token", { after_ms: 120, cached: true });
call.setStatus({ code: SpanStatusCode.ERROR, message: "no such order" });
call.end();
root.end();
await provider.shutdown();
console.log(root.spanContext().traceId);
