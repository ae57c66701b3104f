"""GenAI events as log records: a call's messages stay messages, and a call without a span is a call."""

from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.otlp.conftest import Receiver, Tenant
from traces.reading.messages import conversation
from traces.store.queries.summaries import figures_of
from traces.store.values.parse import decoded

from .spans import Sums, attributes, rows, send, sums

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

START = 1_795_761_072 * 10**9
TRACE, CALL = b"\x0a" * 16, b"\x0b" * 8
DETAILS = "gen_ai.client.inference.operation.details"
USAGE = {"gen_ai.usage.input_tokens": 42, "gen_ai.usage.output_tokens": 17}


def record(request: ExportLogsServiceRequest, name: str, second: int, traced: bool = True, **fields: Any) -> Any:
    if not request.resource_logs:
        request.resource_logs.add().scope_logs.add().scope.name = "openai_v2"
    made = request.resource_logs[0].scope_logs[0].log_records.add(event_name=name, time_unix_nano=START + second)
    if traced:
        made.trace_id, made.span_id = TRACE, CALL
    return made


def said(made: Any, **values: str) -> None:
    for key, value in values.items():
        made.body.kvlist_value.values.add(key=key).value.string_value = value


def the_call() -> bytes:
    """The span that the messages belong to."""
    request = ExportTraceServiceRequest()
    span = (
        request.resource_spans.add().scope_spans.add().spans.add(trace_id=TRACE, span_id=CALL, name="chat gpt-4o-mini")
    )
    span.start_time_unix_nano, span.end_time_unix_nano = START, START + 10**9
    attributes(span, {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini", **USAGE})
    return request.SerializeToString()


def test_messages_of_a_call_are_no_calls(otlp: Receiver, tenant: Tenant) -> None:
    request = ExportLogsServiceRequest()
    said(record(request, "gen_ai.system.message", 1), role="system", content="Be terse.")
    said(record(request, "gen_ai.user.message", 2), content="Capital of France?")
    choice = record(request, "gen_ai.choice", 3)
    said(choice, finish_reason="stop")
    message = choice.body.kvlist_value.values.add(key="message").value.kvlist_value.values
    message.add(key="content").value.string_value = "Paris."
    attributes(choice, {"gen_ai.system": "openai", "session.id": "s-1"})
    whole = record(request, DETAILS, 4)
    attributes(whole, {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini", **USAGE})
    attributes(whole, {"gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Paris."}]}]'})

    send(otlp, tenant, request)
    otlp.post(the_call(), tenant.key)
    send(otlp, tenant, request)

    assert sums(tenant.project_id, TRACE.hex()) == [Sums(1, 42, 17, 0, None, "s-1", "", "ok")]
    assert figures_of(tenant.project_id, [TRACE.hex()])[TRACE.hex()].span_count == 5
    _call, *messages = rows(tenant.project_id)
    assert {(row["ParentSpanId"], row["span_type"]) for row in messages} == {(CALL.hex(), "other")}
    assert [told(row) for row in messages] == [
        [("system", "Be terse.")],
        [("user", "Capital of France?")],
        [("assistant", "Paris.")],
        [("assistant", "Paris.")],
    ]


class Event:
    def __init__(self, name: str, values: dict[str, str]) -> None:
        self.name, self.attributes = name, values


def told(row: dict[str, Any]) -> list[tuple[str, str]]:
    """What the reader of messages finds on the span: (role, text)."""
    events = [Event(*each) for each in zip(row["Events.Name"], row["Events.Attributes"], strict=True)]
    talk = conversation(row["SpanAttributes"], events)
    return [(message.role, part.text) for message in (*talk.asked, *talk.answered) for part in message.parts]


def test_a_call_without_a_span_is_one(otlp: Receiver, tenant: Tenant) -> None:
    request = ExportLogsServiceRequest()
    whole = record(request, DETAILS, 1, traced=False)
    attributes(whole, {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o-mini", **USAGE})
    attributes(whole, {"gen_ai.conversation.id": "c-1", "error.type": "timeout"})
    parts = whole.attributes.add(key="gen_ai.input.messages").value.array_value.values.add().kvlist_value.values
    parts.add(key="role").value.string_value = "user"
    parts.add(key="content").value.string_value = "Capital of France?"
    record(request, "gen_ai.user.message", 2, traced=False)  # of no call: not stored

    send(otlp, tenant, request, request)

    [row] = rows(tenant.project_id)
    assert (row["SpanName"], row["span_type"], row["StatusMessage"]) == ("chat gpt-4o-mini", "llm", "timeout")
    assert decoded(row["SpanAttributes"]["gen_ai.input.messages"]) == [
        {"role": "user", "content": "Capital of France?"}
    ]
    assert told(row) == [("user", "Capital of France?")]
    assert sums(tenant.project_id, row["TraceId"]) == [Sums(1, 42, 17, 0, None, "c-1", "", "error")]
