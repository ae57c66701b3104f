"""Services that report the same calls are found, and one of them can be left out of every figure and taken in again."""

import time

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentops_portal.clickhouse.client import get_client
from agentops_portal.units import NS_OF_MS, NS_OF_SECOND
from projects.models import AuditEvent
from tests.cast import make_cast
from tests.pages.spans import recorded, store, trace_id
from traces.store.calls.coinciding import Call, coinciding
from traces.store.calls.finding import Memory
from traces.store.calls.judging import judge_received
from traces.store.calls.leaving_out import count_as_decided, decide, find_same_calls
from traces.store.calls.records import Decision, SameCalls
from traces.store.queries.export import spans_of_traces
from traces.store.queries.filters import TraceFilter
from traces.store.queries.scopes import whole_time
from traces.store.queries.span_detail import span_detail
from traces.store.queries.trace_list import trace_page
from traces.store.queries.usage import usage_by, usage_total

pytestmark = [pytest.mark.django_db(databases=["default", "clickhouse"])]
S = NS_OF_SECOND


def calls_of(service: str, shift: int = 0, lasts: int = 5, tokens: int = 1, count: int = 30) -> list[Call]:
    """Calls of one model, ten seconds from start to start, with numbers of tokens of their own."""
    starts = [each * 10 * S + shift for each in range(count)]
    return [
        Call(service, "gpt-4o", 100 + each * tokens, 7 + each, start, start + lasts * S)
        for each, start in enumerate(starts)
    ]


SAME = calls_of("proxy", shift=S, lasts=3)
OF_OTHERS = [each._replace(output_tokens=1) for each in calls_of("proxy", count=90)]


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (SAME, True),
        (SAME + OF_OTHERS, True),  # a gateway
        (calls_of("proxy", shift=6 * S, lasts=3), False),  # as many tokens at other times
        (calls_of("proxy", tokens=2), False),  # at the same time with other tokens
        (calls_of("proxy", count=19), False),  # too few
        ([each._replace(model="gpt-4o-mini") for each in calls_of("proxy")], False),
        (calls_of("proxy") + calls_of("proxy", shift=S), False),  # two for each one
    ],
    ids=["same", "shared", "later", "other tokens", "few", "other model", "two each"],
)
def test_services_that_tell_the_same_calls(other: list[Call], found: bool) -> None:
    calls = [*calls_of("app"), *other]

    assert [(each.service, each.other, each.same) for each in coinciding(calls)] == [("app", "proxy", 30)] * found
    assert coinciding(reversed(calls)) == coinciding(calls)


def test_one_prompt_that_two_services_send_again_and_again_is_no_sign() -> None:
    probes = [each._replace(input_tokens=9, output_tokens=1) for each in (*calls_of("a"), *calls_of("b"))]

    assert coinciding(probes) == []


COPIES = 24
BEGAN_NS = time.time_ns() - 3600 * S  # of all services
APP, GATEWAY = "traceloop-openai-0.62.4", "genai-openai-1.3b0"


INPUTS = {"gen_ai.usage.input_tokens", "gen_ai.usage.total_tokens"}


def told_by(service: str, body: str, first: int, later_ms: int = 0) -> ExportTraceServiceRequest:
    """The first call of a recorded body, COPIES times with tokens of their own, in traces of their own and without the
    id of the answer.
    """
    told, whole = recorded(body), ExportTraceServiceRequest()
    instrumented = told.resource_spans[0].scope_spans[0]
    for number in range(COPIES):
        resource_spans = whole.resource_spans.add()
        resource_spans.resource.attributes.add(key="service.name").value.string_value = service
        span = resource_spans.scope_spans.add(scope=instrumented.scope).spans.add()
        span.CopyFrom(instrumented.spans[0])
        span.trace_id, span.span_id = (first + number).to_bytes(16, "big"), (first + number).to_bytes(8, "big")
        span.parent_span_id = b""
        span.start_time_unix_nano = BEGAN_NS + number * 10 * S + later_ms * NS_OF_MS
        span.end_time_unix_nano = span.start_time_unix_nano + 2 * S - 2 * later_ms * NS_OF_MS
        for attribute in [*span.attributes]:
            if attribute.key in INPUTS:
                attribute.value.int_value += number
            elif attribute.key == "gen_ai.response.id":
                span.attributes.remove(attribute)
    return whole


def test_a_service_is_left_out_and_taken_in_again() -> None:
    cast = make_cast()
    project = cast.project
    scope = whole_time(project.pk)
    store(project.pk, told_by("app", APP, 1000))
    store(project.pk, told_by("gateway", GATEWAY, 2000, later_ms=100))
    assert usage_total(scope).calls == 2 * COPIES

    find_same_calls()
    [pair] = SameCalls.objects.filter(project=project)
    assert (pair.service, pair.other, pair.same, pair.redundant) == ("app", "gateway", COPIES, ["app", "gateway"])

    pair = decide(pair=pair, decision=Decision.LEFT_OUT, service="app", actor=cast.alice)
    assert pair.applied_at is None
    count_as_decided()
    pair.refresh_from_db()
    assert pair.applied_at is not None
    assert usage_total(scope).calls == COPIES
    assert list(usage_by(scope, "service")) == ["gateway"]
    layer = span_detail(scope, trace_id(1000), f"{1000:016x}")
    assert layer is not None
    assert (layer.is_llm_call, layer.same_call_why, layer.same_call_service) == (False, "left_out", "gateway")
    [exported] = spans_of_traces(scope, [trace_id(1000)], attributes=False)
    assert (exported["same_call_service"], exported["total_tokens"], exported["cost"]) == ("gateway", 0, None)
    store(project.pk, told_by("app", APP, 3000))  # what comes from now on, too
    # Once more here: the receiver's thread does not see what this test's transaction decided.
    judge_received(get_client(), None, Memory())
    figures = trace_page(scope, TraceFilter(), None, 100).traces
    assert (len(figures), sum(each.llm_calls for each in figures)) == (3 * COPIES, COPIES)
    assert usage_total(scope).total_tokens == sum(each.total_tokens for each in figures) > 0

    decide(pair=pair, decision=Decision.OPEN, actor=cast.alice)
    count_as_decided()
    assert usage_total(scope).calls == 3 * COPIES
    actions = AuditEvent.objects.filter(project=project, action__startswith="same_calls").order_by("at")
    assert [(each.action, each.details) for each in actions] == [
        ("same_calls.left_out", {"left_out": "app"}),
        ("same_calls.open", {"left_out": ""}),
    ]
