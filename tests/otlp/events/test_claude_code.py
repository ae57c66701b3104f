"""Claude Code by its log records. Of the recorded ones: tests/payloads/clients/README.md says how they were counted."""

from decimal import Decimal
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from tests.otlp.conftest import Receiver, Tenant

from .spans import RECORDED, Sums, attributes, one_by_one, rows, send, sums

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

BODY = ExportLogsServiceRequest.FromString((RECORDED / "claude-code-logs.pb").read_bytes())
FIRST, SECOND = "5dfa473636eaa24f6d4e7208701c6209", "d1c65a9bbb2c772613d87d7fe668f0cc"
SESSIONS = "1a6ed271-53bc-48f2-9da8-138379211c6d", "f825a603-0d08-4682-a1b7-919e3ab24a6c"
# 1000+n tokens in, 128 from the cache and 64 into it beside, 50+n out; the cost as Claude Code says it.
TOLD = [
    Sums(1, 1193, 51, 128, Decimal("0.0040464"), SESSIONS[0], "user-replaced", "ok"),
    Sums(2, 1194 + 1195, 52 + 53, 256, Decimal("0.0081468"), SESSIONS[1], "user-replaced", "ok"),
]
NS = 10**9
START = 1_795_761_072 * NS


def untraced() -> ExportLogsServiceRequest:
    """What is sent when traces are off, as by default: the records name no span."""
    request = ExportLogsServiceRequest()
    request.CopyFrom(BODY)
    for resource in request.resource_logs:
        for record in resource.scope_logs[0].log_records:
            record.ClearField("trace_id")
            record.ClearField("span_id")
    return request


def event(request: ExportLogsServiceRequest, name: str, second: float, **values: Any) -> None:
    if not request.resource_logs:
        request.resource_logs.add().scope_logs.add().scope.name = "com.anthropic.claude_code.events"
    record = request.resource_logs[0].scope_logs[0].log_records.add(time_unix_nano=START + int(second * NS))
    record.body.string_value = f"claude_code.{name}"
    attributes(record, {"event.name": name, **{key.replace("__", "."): value for key, value in values.items()}})


def test_a_recorded_session_is_counted_once_however_it_comes(otlp: Receiver, tenant: Tenant) -> None:
    send(otlp, tenant, BODY)

    assert sums(tenant.project_id, FIRST, SECOND) == TOLD
    stored = rows(tenant.project_id)
    assert len(stored) == 7
    # Below the span that the record names, as long as it took.
    [call] = [row for row in stored if row["TraceId"] == FIRST and row["is_llm_call"]]
    assert (call["SpanName"], call["ParentSpanId"]) == ("claude_code.api_request", "b12482a21e0f7d8e")
    assert (call["start"], call["Duration"]) == (1795761072853 * 10**6, 47 * 10**6)
    assert (call["model"], call["provider"]) == ("claude-sonnet-4-5", "anthropic")
    assert call["SpanAttributes"]["portal.log_event"] == "claude_code.api_request"
    assert call["SpanAttributes"]["query_source"] == "sdk"
    assert call["ServiceName"] == "claude-code"

    send(otlp, tenant, BODY, *one_by_one(BODY))

    assert rows(tenant.project_id) == stored
    assert sums(tenant.project_id, FIRST, SECOND) == TOLD


def test_without_traces_each_prompt_is_one(otlp: Receiver, tenant: Tenant) -> None:
    send(otlp, tenant, *one_by_one(untraced()), untraced())

    stored = rows(tenant.project_id)
    assert len(stored) == 7
    roots = [row for row in stored if not row["ParentSpanId"]]
    assert [(root["SpanName"], root["SpanAttributes"]["user_prompt"]) for root in roots] == [
        ("claude_code.user_prompt", "hi NOTOOL"),
        ("claude_code.user_prompt", "TOOL:Read"),
    ]
    root_of = {root["TraceId"]: root["SpanId"] for root in roots}
    for row in stored:
        assert row["ParentSpanId"] in ("", root_of[row["TraceId"]])
    assert sums(tenant.project_id, *root_of) == TOLD


def test_tools_failures_and_what_else_belongs_to_a_prompt(otlp: Receiver, tenant: Tenant) -> None:
    request = ExportLogsServiceRequest()
    whose = {"session__id": "s-1", "prompt__id": "p-1", "user__id": "alice"}
    event(request, "mcp_server_connection", 0, session__id="s-1")  # of no prompt: not stored
    event(request, "user_prompt", 1, prompt="fix it", **whose)
    event(request, "tool_decision", 2, decision="accept", tool_name="Bash", **whose)
    event(
        request,
        "tool_result",
        4,
        tool_name="Bash",
        success="true",
        duration_ms="1500",
        tool_input='{"command":"ls"}',
        **whose,
    )
    event(request, "tool_result", 5, tool_name="Read", success="false", duration_ms=20, error="no such file", **whose)
    event(
        request,
        "api_error",
        9,
        model="claude-haiku-4-5",
        error="Overloaded",
        status_code="529",
        duration_ms=3000,
        **whose,
    )
    # Earlier versions write every number as text.
    event(
        request, "api_request", 10, model="claude-haiku-4-5", input_tokens="7", output_tokens="3",
        cache_read_tokens="0", cache_creation_tokens="2", cost_usd="0.25", duration_ms="500", **whose,
    )  # fmt: skip

    send(otlp, tenant, request)

    stored = rows(tenant.project_id)
    assert [
        (row["SpanName"], row["span_type"], row["tool_name"], row["start"] - START, row["Duration"], row["StatusCode"])
        for row in stored
    ] == [
        ("claude_code.user_prompt", "other", "", 1 * NS, 0, "Unset"),
        ("claude_code.tool_decision", "other", "", 2 * NS, 0, "Unset"),
        ("claude_code.tool_result", "tool", "Bash", int(2.5 * NS), int(1.5 * NS), "Unset"),
        ("claude_code.tool_result", "tool", "Read", int(4.98 * NS), int(0.02 * NS), "Error"),
        ("claude_code.api_error", "llm", "", 6 * NS, 3 * NS, "Error"),
        ("claude_code.api_request", "llm", "", int(9.5 * NS), int(0.5 * NS), "Unset"),
    ]
    assert [row["StatusMessage"] for row in stored if row["StatusCode"] == "Error"] == ["no such file", "Overloaded"]
    assert stored[2]["SpanAttributes"]["gen_ai.tool.call.arguments"] == '{"command":"ls"}'
    assert sums(tenant.project_id, stored[0]["TraceId"]) == [Sums(2, 9, 3, 0, Decimal("0.25"), "s-1", "alice", "ok")]


def test_tools_within_a_trace_are_left_to_it(otlp: Receiver, tenant: Tenant) -> None:
    request = ExportLogsServiceRequest()
    event(request, "tool_result", 1, tool_name="Bash", success="true", session__id="s-1")
    [record] = request.resource_logs[0].scope_logs[0].log_records
    record.trace_id, record.span_id = b"\x01" * 16, b"\x02" * 8

    send(otlp, tenant, request)

    [row] = rows(tenant.project_id)
    assert (row["span_type"], row["tool_name"], row["ParentSpanId"]) == ("other", "", "02" * 8)


def test_odd_records_do_no_harm(otlp: Receiver, tenant: Tenant) -> None:
    request = ExportLogsServiceRequest()
    event(request, "api_request", 1, duration_ms="1e300", input_tokens="nan", output_tokens="-5", cost_usd="many")
    event(request, "api_request", 2, duration_ms=-1, input_tokens=2**62, cache_read_tokens=2**62, model=7)
    event(request, "user_prompt", 3)
    event(request, "api_request", -START / NS)  # of no time: not stored

    send(otlp, tenant, request)

    stored = rows(tenant.project_id)
    assert [(row["start"] - START, row["input_tokens"], row["output_tokens"]) for row in stored] == [
        (1 * NS, 0, 0),
        (2 * NS, 2 * 10**15, 0),
        (3 * NS, 0, 0),
    ]
    assert len({row["TraceId"] for row in stored}) == 3
