"""What traces say of their calls reaches every sum, whatever the order of arrival, and can be taken back."""

from contextlib import nullcontext
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
from clickhouse_connect.driver.exceptions import OperationalError
from django.db import connection, connections

from agentops_portal.clickhouse.client import get_client
from agentops_portal.units import EPOCH_DAY, NS_OF_DAY, NS_OF_MS
from tests.fresh import CLICKHOUSE
from tests.pages.spans import Spanlet, Value, request_of, store
from traces.ingest.inbox import settling
from traces.ingest.inbox.storing import settle_what_waits
from traces.store.calls import judging
from traces.store.figures import TraceFigures
from traces.store.queries.filters import TraceFilter
from traces.store.queries.flow_spans import flow_spans
from traces.store.queries.scopes import whole_time
from traces.store.queries.span_detail import span_detail
from traces.store.queries.trace_detail import spans
from traces.store.queries.trace_list import trace_page
from traces.store.queries.usage import usage_by, usage_total
from traces.store.rollups.rebuild import recompute
from traces.store.rollups.repair import wrong_days

pytestmark = [pytest.mark.django_db(databases=["default", "clickhouse"]), pytest.mark.usefixtures("own_store")]

START_NS = 1_790_000_000 * 10**9
APP: dict[str, Value] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.usage.input_tokens": 100,
}
PROXY: dict[str, Value] = {**APP, "gen_ai.usage.output_tokens": 7, "gen_ai.cost.total_cost": 0.25}
# An agent whose app calls a model through a proxy: two layers of one call. Beside it another call.
SPANS = {
    "agent": Spanlet("plan", 1, attributes={"openinference.span.kind": "AGENT", "agent.name": "planner"}, end=90),
    "app": Spanlet("chat", 2, 1, attributes=APP, start=5, end=55),
    "http": Spanlet("POST", 3, 2, start=10, end=50),
    "proxy": Spanlet("litellm_request", 4, 3, attributes=PROXY, start=15, end=45),
    "other": Spanlet("chat again", 5, 1, attributes=APP, start=60, end=80),
}


def stored(*portions: str) -> UUID:
    """A project that got the trace in these portions, each of several names of SPANS."""
    project_id = uuid4()
    for portion in portions:
        store(project_id, request_of({1: [SPANS[name] for name in portion.split()]}, START_NS))
    return project_id


def figures(project_id: UUID) -> TraceFigures:
    [trace] = trace_page(whole_time(project_id), TraceFilter(), None, 10).traces
    return trace


def check(project_id: UUID) -> None:
    """One call through the proxy, which knows most, and the other one; both are the agent's."""
    trace = figures(project_id)
    assert (trace.span_count, trace.llm_calls) == (5, 2)
    assert (trace.input_tokens, trace.output_tokens, trace.total_tokens) == (200, 7, 207)
    assert (trace.cost.reported, trace.cost.unknown_calls) == (Decimal("0.25"), 1)
    used = usage_total(whole_time(project_id))
    assert (used.calls, used.input_tokens, used.output_tokens) == (2, 200, 7)
    by_agent = usage_by(whole_time(project_id), "agent")
    assert {name: (each.calls, each.total_tokens) for name, each in by_agent.items()} == {"planner": (2, 207)}
    for each in (used, by_agent["planner"], usage_by(whole_time(project_id), "model")["gpt-4o"]):
        assert each.latency is not None  # of the proxy's 30 ms and the other's 20, without the app's 50
        assert (each.latency.p50, each.latency.p99) == pytest.approx((25 * NS_OF_MS, 29.9 * NS_OF_MS))


@pytest.mark.parametrize("order", list(permutations(["agent", "app http", "proxy other"])), ids=" | ".join)
def test_layers_count_once_in_whatever_order_they_arrive(order: tuple[str, ...]) -> None:
    check(stored(*order))


def test_what_was_decided_is_taken_back_when_more_is_known() -> None:
    project_id = stored("agent app", "proxy other")  # what lies between is not there
    assert figures(project_id).llm_calls == 3  # the parent of the proxy's span is missing

    store(project_id, request_of({1: [SPANS["http"]]}, START_NS))
    check(project_id)
    # A tool between the two: who calls from within one calls anew.
    tool = Spanlet("lookup", 6, 2, attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup"})
    store(project_id, request_of({1: [tool, Spanlet("below", 7, 6, attributes=PROXY)]}, START_NS))

    assert (figures(project_id).llm_calls, figures(project_id).input_tokens) == (3, 300)


def test_sums_stay_right_when_rows_are_merged_and_computed_anew() -> None:
    project_id = stored("proxy", "app", "http", "agent other")
    client = get_client()
    for table in ("trace_summaries", "usage_quarters"):
        client.command(f"OPTIMIZE TABLE {table} FINAL")
    check(project_id)

    with connections[CLICKHOUSE].cursor() as cursor:
        recompute(cursor, [START_NS // NS_OF_DAY])
    check(project_id)


def test_a_span_says_for_which_it_does_not_count() -> None:
    project_id = stored("agent app http proxy other")
    scope, trace = whole_time(project_id), figures(project_id)
    rows = {row.name: row for row in spans(scope, trace.trace_id)}
    proxy = rows["litellm_request"].span_id
    layer = span_detail(scope, trace.trace_id, rows["chat"].span_id)

    assert layer is not None
    assert (layer.same_call_as, layer.same_call_why) == (proxy, "nested")
    assert (layer.is_llm_call, layer.total_tokens, layer.cost.known, layer.cost.unknown_calls) == (False, 0, None, 0)
    assert layer.attributes["gen_ai.usage.input_tokens"] == "100"  # what was sent stays
    assert rows["chat"].same_call_as == proxy
    assert [(rows[name].is_llm_call, rows[name].agent_name) for name in ("litellm_request", "chat again")] == [
        (True, "planner"),
        (True, "planner"),
    ]
    assert sum(row.total_tokens for row in rows.values()) == trace.total_tokens


def test_the_flow_holds_a_call_once() -> None:
    project_id = stored("agent app http proxy other")
    scope, trace = whole_time(project_id), figures(project_id)
    [flow] = flow_spans(scope, [trace.trace_id])

    assert sum(span.used_tokens for span in flow) == trace.total_tokens == 207
    assert sum(span.used_input for span in flow) == 200
    assert [span.type for span in flow] == ["agent", "other", "other", "llm", "llm"]


def test_while_it_cannot_be_decided_spans_are_stored_and_later_they_are_right() -> None:
    away = OperationalError("gone")
    with patch.object(settling, "judge_received", side_effect=away):
        project_id = stored("app http proxy")
    assert figures(project_id).llm_calls == 2

    store(project_id, request_of({1: [SPANS["agent"], SPANS["other"]]}, START_NS))
    check(project_id)


def test_while_somebody_else_judges_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "alone", judging.alone)
    with connection.cursor() as cursor:  # until the test's transaction ends
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [judging.LOCK])
    project_id = stored("agent app http proxy other")
    assert figures(project_id).llm_calls == 3

    monkeypatch.setattr(settling, "alone", lambda: nullcontext(True))
    settle_what_waits()

    check(project_id)


def test_a_receiver_that_starts_looks_at_what_a_killed_one_left() -> None:
    with patch.object(settling, "judge_received", side_effect=OperationalError("killed")):
        project_id = stored("agent app http proxy other")

    settling.Settling().settle()

    check(project_id)


def test_the_repair_notices_rows_that_did_not_reach_a_roll_up() -> None:
    project_id = stored("agent app http proxy other")
    day = EPOCH_DAY + timedelta(days=START_NS // NS_OF_DAY)
    before = day + timedelta(days=1)
    assert day not in wrong_days(connections[CLICKHOUSE], before)

    get_client().command(
        f"ALTER TABLE usage_quarters DELETE WHERE verdicts > 0 AND project_id = '{project_id}'",
        settings={"mutations_sync": 1},
    )

    assert day in wrong_days(connections[CLICKHOUSE], before)
    with connections[CLICKHOUSE].cursor() as cursor:
        recompute(cursor, [START_NS // NS_OF_DAY])
    check(project_id)


def test_what_others_write_is_judged_at_night() -> None:
    with patch.object(settling, "judge_received", return_value=0):
        project_id = stored("agent app http proxy other")
    get_client().command(
        f"ALTER TABLE otel_traces UPDATE request_digest = toFixedString('', 16) WHERE project_id = '{project_id}'",
        settings={"mutations_sync": 1},
    )

    assert judging.judge_what_others_stored(get_client()) > 0

    check(project_id)


def test_two_instrumentations_in_traces_of_their_own_tell_one_call_whichever_comes_first() -> None:
    framework = request_of({1: [SPANS["agent"], Spanlet("model", 2, 1, attributes=APP, start=5, end=55)]}, START_NS)
    client = request_of(
        {2: [Spanlet("openai", 3, attributes=PROXY | {"gen_ai.usage.input_tokens": 93}, start=10, end=50)]}, START_NS
    )
    for request, name in ((framework, "framework"), (client, "client")):
        request.resource_spans[0].scope_spans[0].scope.name = name
    for first, second in ((framework, client), (client, framework)):
        project_id = uuid4()
        store(project_id, first)
        store(project_id, second)

        used = usage_by(whole_time(project_id), "agent")
        assert {name: (each.calls, each.total_tokens) for name, each in used.items()} == {"planner": (1, 100)}
        layer = span_detail(whole_time(project_id), f"{1:032x}", f"{2:016x}")
        assert layer is not None
        assert (layer.same_call_as, layer.same_call_trace, layer.same_call_why) == (f"{3:016x}", f"{2:032x}", "twin")

        # More of the first trace: what was decided about the two stays.
        store(project_id, request_of({1: [Spanlet("later", 9, 1)]}, START_NS))
        assert usage_total(whole_time(project_id)).calls == 1


def test_two_services_that_name_the_same_answer_tell_one_call() -> None:
    answered: dict[str, Value] = {"gen_ai.response.id": "chatcmpl-1", "gen_ai.usage.output_tokens": 7}
    app = request_of({1: [Spanlet("chat", 1, attributes={**APP, **answered}, end=5)]}, START_NS)
    proxy = request_of(
        {2: [Spanlet("litellm_request", 2, attributes={**PROXY, **answered}, start=20, end=50)]}, START_NS
    )
    for request, name in ((app, "app"), (proxy, "litellm")):
        request.resource_spans[0].scope_spans[0].scope.name = name
        request.resource_spans[0].resource.attributes[0].value.string_value = name
    project_id = uuid4()
    store(project_id, app)
    store(project_id, proxy)

    used = usage_total(whole_time(project_id))
    assert (used.calls, used.input_tokens, used.cost.reported) == (1, 100, Decimal("0.25"))
    layer = span_detail(whole_time(project_id), f"{1:032x}", f"{1:016x}")
    assert layer is not None
    assert (layer.same_call_trace, layer.same_call_why) == (f"{2:032x}", "response")
