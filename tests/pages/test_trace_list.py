"""The trace list: which traces, in which order, found by which filter."""

import re
import subprocess
import time
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from projects.models import Project
from tests.kept import give_recorded
from tests.receiver import store_body
from traces.ingest.otlp.request import JSON

from .spans import MS, RECORDED_DAY, Spanlet, request_of, store, store_trace, trace_id

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

ERROR, SERVER = 2, 2
LLM = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", "gen_ai.provider.name": "openai"}


def list_url(project: Project, query: str = "") -> str:
    return reverse("trace-list", kwargs={"project_id": project.pk}) + query


def shown_ids(client: Client, project: Project, query: str = "") -> list[str]:
    response = client.get(list_url(project, query))
    assert response.status_code == 200
    page = response.context.get("page")
    return [trace.trace_id for trace in page.traces] if page else []


@pytest.fixture
def litellm(project: Project) -> Project:
    give_recorded(project, "litellm-1.106.2-mixed")
    return project


def test_figures_of_recorded_traces_are_those_counted_by_hand(client: Client, litellm: Project) -> None:
    response = client.get(list_url(litellm, RECORDED_DAY))

    traces = {trace.trace_id: trace for trace in response.context["page"].traces}
    assert len(traces) == 9
    answered = traces["95c31d28b21739cb93431e8f9e5df0a6"]
    assert (answered.name, answered.status, answered.error_count) == ("POST /v1/chat/completions", "ok", 0)
    assert (answered.span_count, answered.llm_calls, answered.models) == (13, 1, ("gpt-4o-mini",))
    assert (answered.input_tokens, answered.output_tokens, answered.total_tokens) == (11, 8, 19)
    assert answered.cost.reported is not None
    # Sent as the double 6.449999999999999e-06, stored with twelve digits.
    assert (round(answered.cost.reported, 11), answered.cost.unknown_calls) == (Decimal("0.00000645"), 0)
    assert answered.duration_ns // 1000 == 598_158
    assert (answered.guardrail_runs, answered.guardrail) == (3, "allowed")
    blocked = traces["0918b44c88898607485f6e7f01a7b71e"]
    assert (blocked.status, blocked.error_count) == ("error", 4)
    # Blocked once, sent twice; the other guardrail let the request pass.
    assert (blocked.guardrail_runs, blocked.blocked_runs, blocked.guardrail) == (2, 1, "blocked")
    unpriced = traces["0bc4ed10adf7267627b4fcf03e4879ad"]
    assert (unpriced.total_tokens, unpriced.cost.reported, unpriced.cost.unknown_calls) == (30, None, 1)
    masked = traces["84112533b22b1fea96dc1ce0c7d74207"]
    assert (masked.guardrail, masked.masked_runs) == ("masked", 1)
    probe = traces["405b68d88a67a288e8ff7e6a44c6382e"]
    assert (probe.name, probe.llm_calls, probe.cost.is_unknown) == ("GET /health/liveliness", 0, False)
    cut = traces["c8876b7de1ef7af6715bc87ecf6fa97c"]  # its root came with a later request
    assert (cut.has_root, cut.name, cut.status) == (False, "fastapi.dependencies", "error")


def test_a_cost_that_nobody_told_is_unknown_and_not_zero(client: Client, litellm: Project) -> None:
    page = client.get(list_url(litellm, RECORDED_DAY + "&q=0bc4ed10adf7267627b4fcf03e4879ad")).content.decode()

    assert 'title="Nobody told the price of 1 LLM call."' in page
    assert "$0<" not in page


def test_totals_cover_every_trace_of_the_filter(client: Client, litellm: Project) -> None:
    response = client.get(list_url(litellm, RECORDED_DAY))

    totals, traces = response.context["totals"], response.context["page"].traces
    assert (totals.traces, totals.spans) == (9, 103)
    assert totals.error_traces == sum(trace.status == "error" for trace in traces) == 4
    assert totals.llm_calls == sum(trace.llm_calls for trace in traces)
    assert totals.total_tokens == sum(trace.total_tokens for trace in traces)
    assert totals.cost.reported == sum(trace.cost.reported or 0 for trace in traces)


@pytest.mark.parametrize(
    ("spans", "status"),
    [
        ([Spanlet("root"), Spanlet("call", 2, 1, attributes=LLM)], "ok"),
        ([Spanlet("root", status=ERROR), Spanlet("call", 2, 1, attributes=LLM)], "error"),
        ([Spanlet("root", kind=SERVER, attributes={"http.response.status_code": 404})], "error"),
        ([Spanlet("root", kind=SERVER, attributes={"http.response.status_code": 302})], "ok"),
        # A retry that worked, and one that did not.
        (
            [
                Spanlet("root"),
                Spanlet("a", 2, 1, 0, 2, status=ERROR, attributes=LLM),
                Spanlet("b", 3, 1, 3, 9, attributes=LLM),
            ],
            "ok",
        ),
        (
            [
                Spanlet("root"),
                Spanlet("a", 2, 1, 0, 2, attributes=LLM),
                Spanlet("b", 3, 1, 3, 9, status=ERROR, attributes=LLM),
            ],
            "error",
        ),
        # Many frameworks end every run with Ok; other spans fail on the side.
        ([Spanlet("root", status=1), Spanlet("call", 2, 1, status=ERROR, attributes=LLM)], "error"),
        ([Spanlet("root"), Spanlet("cache", 2, 1, status=ERROR)], "ok"),
    ],
)
def test_the_status_of_a_trace(client: Client, project: Project, spans: list[Spanlet], status: str) -> None:
    store_trace(project.pk, spans)

    [trace] = client.get(list_url(project)).context["page"].traces

    assert trace.status == status


def test_the_root_is_the_span_without_a_parent_even_when_a_child_starts_before_it(
    client: Client, project: Project
) -> None:
    store_trace(project.pk, [Spanlet("router", 2, 1, start=0), Spanlet("request", 1, start=5)])

    [trace] = client.get(list_url(project)).context["page"].traces

    assert trace.name == "request"


@pytest.mark.parametrize(
    "text", ["PROXY_PRE", "95C31D28B21739CB93431E8F9E5DF0A6", "95c31d28-b217-39cb-9343", "pre_call"]
)
def test_search_finds_names_and_ids_in_any_case_and_keeps_the_whole_trace(
    client: Client, litellm: Project, text: str
) -> None:
    traces = client.get(list_url(litellm, f"{RECORDED_DAY}&q={text}")).context["page"].traces

    [found] = [trace for trace in traces if trace.trace_id.startswith("95c31d28")]
    assert found.span_count == 13


@pytest.mark.parametrize("text", ["%25", "_pre_call_", "proxy%25call", "\\", "' OR 1=1 --", "zzz"])
def test_search_takes_every_character_as_itself(client: Client, litellm: Project, text: str) -> None:
    response = client.get(list_url(litellm), {**_day(), "q": text.replace("%25", "%")})

    assert response.context["page"].traces == []
    assert "Nothing matches the filter" in response.content.decode()


def _day() -> dict[str, str]:
    return dict(pair.split("=") for pair in RECORDED_DAY[1:].split("&"))


def test_status_model_and_llm_filters(client: Client, litellm: Project) -> None:
    assert len(shown_ids(client, litellm, RECORDED_DAY + "&status=error")) == 4
    assert len(shown_ids(client, litellm, RECORDED_DAY + "&status=ok")) == 5
    assert len(shown_ids(client, litellm, RECORDED_DAY + "&llm=1")) == 6  # two were blocked before a call
    assert shown_ids(client, litellm, RECORDED_DAY + "&model=gpt-4o") == ["c8876b7de1ef7af6715bc87ecf6fa97c"]
    assert "gpt-4o-mini" in client.get(list_url(litellm, RECORDED_DAY)).context["models"]


def test_a_trace_is_in_every_range_that_it_overlaps_and_is_counted_whole(client: Client, project: Project) -> None:
    hour = 3_600_000  # milliseconds
    start_ns = 1_700_000_000 * 1000 * MS  # 2023-11-14 22:13:20 UTC
    store_trace(
        project.pk,
        [Spanlet("root", end=2 * hour), Spanlet("late", 2, 1, start=2 * hour - 1, end=2 * hour)],
        start_ns=start_ns,
    )

    for start, end in (("14T22", "14T23"), ("14T23", "15T00"), ("15T00", "15T01")):
        scope = f"?start=2023-11-{start}:00:00Z&end=2023-11-{end}:00:00Z"
        [trace] = client.get(list_url(project, scope)).context["page"].traces
        assert trace.span_count == 2
    assert shown_ids(client, project, "?start=2023-11-15T01:00:00Z&end=2023-11-15T02:00:00Z") == []


def test_times_are_those_of_the_reader(client: Client, project: Project) -> None:
    project.organization.members.update(timezone="Asia/Seoul")
    store_trace(project.pk, [Spanlet("root")], start_ns=1_700_000_000 * 1000 * MS)

    page = client.get(list_url(project, "?start=2023-11-15T07:00&end=2023-11-15T07:30")).content.decode()

    assert "2023-11-15 07:13:20" in page
    assert "2023-11-15 07:13:20.000000000 +09:00" in page


def test_pages_show_every_trace_once_the_newest_first(client: Client, project: Project) -> None:
    now = time.time_ns()
    # Groups of seven start together, so that a page ends within a group.
    starts = {number: now - (number // 7) * 1000 * MS for number in range(1, 121)}
    store(project.pk, request_of({number: [Spanlet(f"trace {number}")] for number in starts}, starts))

    seen: list[str] = []
    address = list_url(project)
    while address:
        response = client.get(address)
        seen += [trace.trace_id for trace in response.context["page"].traces]
        older = response.context["older_address"]
        address = list_url(project, older) if older else ""

    expected = sorted(starts, key=lambda number: (starts[number], number), reverse=True)
    assert seen == [trace_id(number) for number in expected]


def test_the_list_asks_the_same_number_of_queries_however_many_traces_it_shows(
    client: Client, project: Project, django_assert_num_queries: object, caplog: pytest.LogCaptureFixture
) -> None:
    def queries() -> int:
        caplog.clear()
        with caplog.at_level("DEBUG", "agentops_portal.clickhouse.gate"):
            client.get(list_url(project))
        return sum("clickhouse_query" in record.getMessage() for record in caplog.records)

    store_trace(project.pk, [Spanlet("root")])
    few = queries()
    store(project.pk, request_of({number: [Spanlet("root")] for number in range(2, 40)}, time.time_ns()))

    assert queries() == few <= 5


def test_hostile_and_long_names_stay_text(client: Client, project: Project) -> None:
    name = '<script>alert("x")</script>' + "아주 긴 이름 " * 40
    store_trace(project.pk, [Spanlet(name)])

    page = client.get(list_url(project)).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" in page


@pytest.mark.parametrize(
    ("query", "field", "problem"),
    [
        ("?range=2y", "Time range", "2y is not one of 15m, 1h, 24h, 7d, 30d, custom."),
        ("?start=2026-11-24T00:00&end=2026-11-23T00:00", "To", "The end must come after the start."),
        ("?range=custom", "From", "Say from when."),
        ("?start=yesterday", "From", "Write a date and time such as 2026-11-23T09:30."),
        ("?start=2026-13-45T00:00", "From", "Write a date and time such as 2026-11-23T09:30."),
        ("?start=9999-01-01T00:00", "From", "Choose a time between 1970 and 2262."),
        ("?status=broken", "Status", "broken is not one of ok, error."),
        ("?cursor=abc", "Page", "This address does not name a page: start at the newest."),
        ("?cursor=" + "9" * 90, "Page", "This address does not name a page: start at the newest."),
        ("?q=" + "x" * 201, "Search", "Ensure this value has at most 200 characters (it has 201)."),
    ],
)
def test_an_address_that_does_not_fit_is_refused_with_the_field_named(
    client: Client, litellm: Project, query: str, field: str, problem: str
) -> None:
    response = client.get(list_url(litellm, query))

    assert response.status_code == 400
    assert f"{field}: {problem}" in response.content.decode()


def test_filters_stay_in_the_address_of_the_next_page(client: Client, project: Project) -> None:
    store(project.pk, request_of({number: [Spanlet("a&b")] for number in range(1, 60)}, time.time_ns()))

    page = client.get(list_url(project, "?q=a%26b&range=24h")).content.decode()

    [older] = re.findall(r'href="([^"]*)" rel="next"', page)
    assert older.startswith("?range=24h&amp;q=a%26b&amp;cursor=")


def test_a_project_without_any_trace_says_how_to_send_one(client: Client, project: Project) -> None:
    page = client.get(list_url(project)).content.decode()

    assert "Send your first trace" in page
    assert "/v1/traces" in page
    assert client.get(reverse("trace-arrived", kwargs={"project_id": project.pk})).json() == {"arrived": False}


def test_the_curl_command_of_an_empty_project_sends_a_trace(client: Client, project: Project) -> None:
    [command] = [each for each in client.get(list_url(project)).context["snippets"] if each.name == "curl"]
    show_body = 'curl() { printf %s "${@: -1}"; }\n'  # the last argument is what curl would send

    body = subprocess.run(["bash", "-c", show_body + command.text], capture_output=True, check=True).stdout
    store_body(project.pk, body, JSON)

    [trace] = client.get(list_url(project)).context["page"].traces
    assert (trace.name, trace.service, trace.duration_ns) == ("hello, portal", "curl", 250 * MS)


def test_an_empty_range_points_at_the_newest_trace(client: Client, project: Project) -> None:
    newest = store_trace(project.pk, [Spanlet("old")], start_ns=1_700_000_000 * 1000 * MS)

    page = client.get(list_url(project)).content.decode()

    assert "No traces in this time range" in page
    assert "2023-11-14 22:13:20" in page
    assert reverse("trace-detail", kwargs={"project_id": project.pk, "trace_id": newest}) in page
    assert client.get(reverse("trace-arrived", kwargs={"project_id": project.pk})).json() == {"arrived": True}


def test_another_project_of_the_same_store_is_not_shown(client: Client, project: Project) -> None:
    other = Project.objects.create(name="Second", organization=project.organization)
    store_trace(other.pk, [Spanlet("other")], number=1)
    mine = store_trace(project.pk, [Spanlet("mine")], number=2)

    assert shown_ids(client, project) == [mine]
