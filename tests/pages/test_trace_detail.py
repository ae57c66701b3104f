"""The page of one trace."""

import time
from decimal import Decimal
from functools import partial

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.asserts import assertContains, assertNotContains

from projects.models import Project
from tests.kept import give_recorded
from traces.store.queries.trace_detail import spans as query_spans

from .spans import MS, RECORDED_DAY, Spanlet, request_of, span_id, store, store_trace, trace_id

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

BLOCKED = "0918b44c88898607485f6e7f01a7b71e"


def page_of(client: Client, project: Project, trace: str, query: str = "") -> object:
    response = client.get(reverse("trace-detail", kwargs={"project_id": project.pk, "trace_id": trace}) + query)
    assert response.status_code == 200
    return response


def test_the_header_shows_the_very_figures_of_the_list(client: Client, project: Project) -> None:
    give_recorded(project, "litellm-1.106.2-mixed", "agentops-0.4.21-session", "genai-openai-1.3b0")
    listed = client.get(reverse("trace-list", kwargs={"project_id": project.pk}) + RECORDED_DAY).context["page"].traces
    assert len(listed) == 11

    for trace in listed:
        assert page_of(client, project, trace.trace_id).context["figures"] == trace  # type: ignore[attr-defined]


def test_a_litellm_trace_is_drawn_as_the_tree_it_is(client: Client, project: Project) -> None:
    give_recorded(project, "litellm-1.106.2-mixed")

    rows = page_of(client, project, BLOCKED).context["rows"]  # type: ignore[attr-defined]

    assert [(row.level, row.span.name) for row in rows] == [
        (1, "POST /v1/chat/completions"),
        (2, "fastapi.dependencies"),
        (3, "Received Proxy Server Request"),
        (4, "auth"),
        (4, "litellm_request"),
        (5, "guardrail"),
        (5, "guardrail"),
        (4, "proxy_pre_call"),
        (4, "guardrail"),
        (4, "Failed Proxy Server Request"),
        (2, "fastapi.endpoint"),
    ]
    repeated = [row.span.guardrail_name for row in rows if row.is_repeated]
    assert repeated == ["content-filter"]
    [refused] = [row for row in rows if row.span.type == "llm"]
    assert (refused.span.is_llm_call, refused.span.is_error) == (False, True)
    assert refused.span.model == "qwen/qwen3-235b-a22b-2507"


def test_spans_without_their_parent_are_shown_and_marked(client: Client, project: Project) -> None:
    give_recorded(project, "litellm-1.106.2-mixed")

    response = page_of(client, project, "c8876b7de1ef7af6715bc87ecf6fa97c")

    rows = response.context["rows"]  # type: ignore[attr-defined]
    assert len(rows) == 9
    assert sum(row.is_orphan for row in rows) == 7
    assert "Its parent has not arrived" in response.content.decode()  # type: ignore[attr-defined]


def test_bars_stay_inside_the_trace(client: Client, project: Project) -> None:
    trace = store_trace(
        project.pk,
        [
            Spanlet("root", end=100),
            Spanlet("half", 2, 1, 50, 75),
            Spanlet("instant", 3, 1, 100, 100),
            Spanlet("before", 4, 1, -20, 0),
        ],
    )

    rows = page_of(client, project, trace).context["rows"]  # type: ignore[attr-defined]

    bars = {row.span.name: (row.offset, row.width) for row in rows}
    assert bars["root"] == ("16.67%", "83.33%")
    assert bars["half"] == ("58.33%", "20.83%")
    assert bars["before"] == ("0.00%", "16.67%")
    assert bars["instant"] == ("99.60%", "0.40%")


def test_times_are_read_to_the_nanosecond(client: Client, project: Project) -> None:
    start_ns = 1_700_000_000 * 1000 * MS + 123_456_789
    trace = store_trace(project.pk, [Spanlet("root", end=1)], start_ns=start_ns)

    page = page_of(client, project, trace).content.decode()  # type: ignore[attr-defined]

    assert "2023-11-14 22:13:20.123456789 +00:00" in page


def test_tags_come_from_every_dialect(client: Client, project: Project) -> None:
    trace = store_trace(
        project.pk,
        [
            Spanlet("a", 1, attributes={"agentops.tags": ["beta", "alpha"]}),
            Spanlet("b", 2, 1, attributes={"metadata.requester_metadata": "{'tags': ['prod'], 'session_id': None}"}),
            Spanlet("c", 3, 1, attributes={"tag.tags": '["alpha", "<u>"]'}),
        ],
    )

    response = page_of(client, project, trace)

    assert response.context["tags"] == ["<u>", "alpha", "beta", "prod"]  # type: ignore[attr-defined]
    assert "<u>" not in response.content.decode()  # type: ignore[attr-defined]


def test_a_trace_that_arrives_in_several_requests_is_one(client: Client, project: Project) -> None:
    now = time.time_ns()
    store(project.pk, request_of({1: [Spanlet("child", 2, 1, 5, 9)]}, now))
    store(project.pk, request_of({1: [Spanlet("root", 1, 0, 0, 20)]}, now))

    figures = page_of(client, project, trace_id(1)).context["figures"]  # type: ignore[attr-defined]

    assert (figures.name, figures.span_count, figures.duration_ns) == ("root", 2, 20 * MS)


def test_a_tool_with_a_cost_counts_and_an_unknown_call_is_said_to_be_one(client: Client, project: Project) -> None:
    trace = store_trace(
        project.pk,
        [
            Spanlet("root"),
            Spanlet("search.tool", 2, 1, attributes={"agentops.span.kind": "tool", "gen_ai.usage.total_cost": 0.25}),
            Spanlet("call", 3, 1, attributes={"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}),
        ],
    )

    response = page_of(client, project, trace)

    cost = response.context["figures"].cost  # type: ignore[attr-defined]
    assert (cost.reported, cost.unknown_calls) == (Decimal("0.25"), 1)
    assert "reported, 1 call unknown" in response.content.decode()  # type: ignore[attr-defined]


def test_a_thousand_spans_are_drawn_quickly(client: Client, project: Project) -> None:
    trace = store_trace(project.pk, [Spanlet("root"), *(Spanlet(f"span {n}", n, n // 2) for n in range(2, 1001))])
    page_of(client, project, trace)  # connections and templates are ready

    started = time.perf_counter()
    response = page_of(client, project, trace)
    seconds = time.perf_counter() - started

    assert len(response.context["rows"]) == 1000  # type: ignore[attr-defined]
    assert len(response.content) < 1_200_000  # type: ignore[attr-defined]
    assert seconds < 2


def test_what_is_too_large_to_be_drawn_or_judged_says_so(
    client: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = store_trace(project.pk, [Spanlet("root"), *(Spanlet("step", id=n, parent=1) for n in (2, 3, 4))])
    monkeypatch.setattr("traces.pages.trace_page.query_spans", partial(query_spans, limit=3))

    page = page_of(client, project, trace)
    assertContains(page, "1 more span is not drawn")  # type: ignore[arg-type]
    assertNotContains(page, "A call that several spans tell")  # type: ignore[arg-type]

    monkeypatch.setattr("traces.pages.trace_page.MOST_SPANS", 3)
    assertContains(page_of(client, project, trace), "traces of more than 3 spans are not looked through")  # type: ignore[arg-type]


def test_the_span_in_the_address_is_the_chosen_one(client: Client, project: Project) -> None:
    trace = store_trace(project.pk, [Spanlet("root"), Spanlet("child", 2, 1)])

    response = page_of(client, project, trace, f"?span={span_id(2).upper()}")

    assert response.context["selected"] == span_id(2)  # type: ignore[attr-defined]


def test_of_a_failed_trace_the_failed_call_is_chosen_first(client: Client, project: Project) -> None:
    give_recorded(project, "litellm-1.106.2-mixed")

    response = page_of(client, project, BLOCKED)

    assert response.context["selected"] == "2afc156b4281c482"  # type: ignore[attr-defined]
