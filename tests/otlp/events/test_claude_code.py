"""Claude Code by its log records, recorded against a provider that gave every call token numbers of its own: call n was
told 1000+n tokens in, 128 from the cache and 64 into it beside, and 50+n out.
"""

import time
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from projects.credentials import Credential
from tests.otlp.conftest import Receiver, Tenant
from traces.ingest.inbox import table
from traces.ingest.inbox.table import Entry
from traces.ingest.inbox.worker import Decoder
from traces.ingest.otlp.request import PROTOBUF, read_request
from traces.ingest.otlp.signals import LOGS

from .spans import RECORDED, Sums, attributes, one_by_one, rows, send, sums

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

BODY = ExportLogsServiceRequest.FromString((RECORDED / "claude-code-logs.pb").read_bytes())
# 2.1.332, with a tool: with logs only, and with traces on, too.
UNTRACED = ExportLogsServiceRequest.FromString((RECORDED / "claude-code-tool-logs.pb").read_bytes())
TRACED = ExportLogsServiceRequest.FromString((RECORDED / "claude-code-traced-logs.pb").read_bytes())
TRACES = ExportTraceServiceRequest.FromString((RECORDED / "claude-code-traced-traces.pb").read_bytes())
FIRST, SECOND = "5dfa473636eaa24f6d4e7208701c6209", "d1c65a9bbb2c772613d87d7fe668f0cc"
SESSIONS = "1a6ed271-53bc-48f2-9da8-138379211c6d", "f825a603-0d08-4682-a1b7-919e3ab24a6c"
# The cost as Claude Code says it.
TOLD = [
    Sums(1, 1193, 51, 128, Decimal("0.0040464"), SESSIONS[0], "user-replaced", "ok"),
    Sums(2, 1194 + 1195, 52 + 53, 256, Decimal("0.0081468"), SESSIONS[1], "user-replaced", "ok"),
]
NS = 10**9
START = 1_795_761_072 * NS


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
    send(otlp, tenant, *one_by_one(UNTRACED), UNTRACED)

    root, *others = stored = rows(tenant.project_id)
    assert [row["SpanName"].removeprefix("claude_code.") for row in sorted(stored, key=sequence)] == [
        *("user_prompt", "tool_decision", "api_request", "tool_result", "api_request", "assistant_response"),
    ]  # and four of the start of the session, which belong to no prompt
    assert (root["SpanName"], root["ParentSpanId"]) == ("claude_code.user_prompt", "")
    assert root["SpanAttributes"]["user_prompt"] == "USETOOL what is the capital"
    assert {(row["TraceId"], row["ParentSpanId"]) for row in others} == {(root["TraceId"], root["SpanId"])}
    assert [row["tool_name"] for row in others if row["span_type"] == "tool"] == ["Bash"]
    session = "bcdf22a6-f264-4146-a259-d44f7b661527"
    assert sums(tenant.project_id, root["TraceId"]) == [
        Sums(2, 1197 + 1198, 55 + 56, 256, Decimal("0.0082548"), session, "user-replaced", "ok")
    ]


@pytest.mark.parametrize("order", [1, -1], ids=["traces first", "logs first"])
def test_calls_that_the_trace_tells_too_count_once(order: int, otlp: Receiver, tenant: Tenant) -> None:
    told_by: list[ExportLogsServiceRequest | ExportTraceServiceRequest] = [TRACES, *one_by_one(TRACED)]
    send(otlp, tenant, *told_by[::order], settle=False)
    send(otlp, tenant, TRACED)

    stored = rows(tenant.project_id)
    trace_id = "72067efeb6769eaec2f2960441246ebb"
    assert {row["TraceId"] for row in stored} == {trace_id}
    assert len(stored) == 6 + 6
    [counted] = sums(tenant.project_id, trace_id)
    assert counted[:4] == (2, 1199 + 1200, 57 + 58, 256)
    assert sum(row["span_type"] == "tool" for row in stored) == 1
    # What the log says stays, with the span that it is said of.
    details = [row["SpanAttributes"] for row in stored if row["SpanName"] == "claude_code.api_request"]
    calls = {row["SpanId"]: row["SpanAttributes"] for row in stored if row["is_llm_call"]}
    assert {detail["portal.same_call_as"] for detail in details} == calls.keys()
    for detail in details:
        assert detail["request_id"] == calls[detail["portal.same_call_as"]]["request_id"]
    assert sorted(detail["portal.told.gen_ai.usage.cost"] for detail in details) == ["0.0041544", "0.0041724"]


def test_calls_whose_trace_does_not_come_wait_a_moment(
    otlp: Receiver, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "PATIENCE_SECONDS", 0.5)
    send(otlp, tenant, TRACED, settle=False)

    started = time.monotonic()
    while not (stored := rows(tenant.project_id)) and time.monotonic() < started + 20:
        time.sleep(0.05)

    assert time.monotonic() - started > 0.3
    assert sum(row["is_llm_call"] for row in stored) == 2


def test_a_receiver_that_is_stopped_lets_nothing_wait(receiver_server: Receiver, tenant: Tenant) -> None:
    credential = Credential(project_id=tenant.project_id, key_id=UUID(int=1), scopes=frozenset({"ingest"}))
    request = read_request(TRACED.SerializeToString(), PROTOBUF, tenant.project_id, LOGS)
    entry = Entry.of(credential, request, len(request.body))
    decoder = Decoder(lambda entry: None, lambda entry, reason: None)
    with decoder.writing([entry]) as segment:
        table.put([entry], segment)
    time.sleep(0.3)
    assert rows(tenant.project_id) == []

    decoder.close()

    assert sum(row["is_llm_call"] for row in rows(tenant.project_id)) == 2


def sequence(row: dict[str, Any]) -> int:
    return int(row["SpanAttributes"]["event.sequence"])


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
        ("claude_code.user_prompt", "workflow", "", 1 * NS, 0, "Unset"),
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
        (2 * NS, 10**12, 0),
        (3 * NS, 0, 0),
    ]
    assert len({row["TraceId"] for row in stored}) == 3
