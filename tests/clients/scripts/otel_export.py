"""An application instrumented with the OpenTelemetry SDK; the exporter is set up by OTEL_* variables alone.

Prints the trace id. A nested span, an event, a link and attributes of every type OpenTelemetry has.
"""

import os

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

if os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
else:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("otel-test", "1.2.3")

with tracer.start_as_current_span("주문 처리", kind=trace.SpanKind.SERVER) as root:
    root.set_attribute("http.response.status_code", 200)
    root.set_attribute("ratio", 0.25)
    root.set_attribute("retried", False)
    root.set_attribute("tags", ["가", "b"])
    link = trace.Link(root.get_span_context(), {"why": "retry"})
    with tracer.start_as_current_span("chat gpt-4o-mini", kind=trace.SpanKind.CLIENT, links=[link]) as call:
        call.set_attribute("gen_ai.operation.name", "chat")
        call.set_attribute("gen_ai.request.model", "gpt-4o-mini")
        call.set_attribute("gen_ai.usage.input_tokens", 42)
        call.set_attribute("gen_ai.usage.output_tokens", 17)
        call.add_event("first token", {"after_ms": 120})
    try:
        with tracer.start_as_current_span("look up"):
            raise LookupError("no such order")
    except LookupError:
        pass

provider.shutdown()
print(format(root.get_span_context().trace_id, "032x"))  # noqa: T201
