"""One day of one project says the same by every door: pages, /api/v1, AgentOps' addresses, monitoring, MCP, exports
and reports.

The day: a recorded one of LiteLLM with an answer from its cache, a trace with two roots, and one whose root never came.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from guardrails.reports.contents import figures_of
from tests.cast import Cast
from tests.kept import give
from tests.pages.spans import Spanlet, Value, recorded, request_of
from tests.reports.world import weekly
from traces.mcp.summary_tools import UsageParameters, usage_summary
from traces.mcp.trace_tools import SearchParameters, search_traces

from .conftest import Get

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
START, END = "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z"
RANGE, TIMES = f"start={START}&end={END}", f"start_time={START}&end_time={END}"
CALL: dict[str, Value] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.usage.input_tokens": 7,
}
TWO_ROOTS = [Spanlet("one", 1), Spanlet("other", 2, start=5), Spanlet("call", 3, 1, 6, 8, attributes=CALL)]
# A trace is failed when its last work failed; of a root that never came nothing else is known.
NO_ROOT = [Spanlet("call", 2, 9, status=2, attributes={**CALL, "gen_ai.usage.input_tokens": 0})]


@dataclass(frozen=True)
class Figures:
    """None: this door does not tell it."""

    requests: int | None = None
    failed: int | None = None
    calls: int | None = None
    input: int | None = None
    output: int | None = None
    total: int | None = None


# LiteLLM: 20 traces, 4 failed, 18 calls of the provider and one answer from the cache, 14974 and 1091 tokens.
RIGHT = Figures(20 + 2, 4 + 1, 18 + 1 + 2, 14974 + 7, 1091, 14974 + 7 + 1091)


@pytest.fixture
def told(cast: Cast) -> Cast:
    give(
        cast.project,
        recorded("clients/litellm-new"),
        request_of({1: TWO_ROOTS, 2: NO_ROOT}, int(NOON.timestamp()) * 10**9),
    )
    return cast


def overview(cast: Cast, get: Get) -> Figures:
    sums = page(cast, "")["overview"].figures.now.sums
    return Figures(
        sums.traces, sums.error_traces, sums.llm_calls, sums.input_tokens, sums.output_tokens, sums.total_tokens
    )


def list_page(cast: Cast, get: Get) -> Figures:
    sums = page(cast, "traces/")["totals"]
    return Figures(sums.traces, sums.error_traces, sums.llm_calls, total=sums.total_tokens)


def page(cast: Cast, path: str) -> Any:
    client = Client()
    client.force_login(cast["bob"])
    return client.get(f"/projects/{cast.project.pk}/{path}?{RANGE}").context


def v1_usage(cast: Cast, get: Get) -> Figures:
    return of_usage(get(f"/api/v1/projects/{cast.project.pk}/usage?{RANGE}", person="bob").json())


def v1_usage_over_time(cast: Cast, get: Get) -> Figures:
    steps = get(f"/api/v1/projects/{cast.project.pk}/usage/over-time?step=hour&{RANGE}", person="bob").json()["results"]
    return added(map(of_usage, steps))


def v1_usage_by_model(cast: Cast, get: Get) -> Figures:
    rows = get(f"/api/v1/projects/{cast.project.pk}/usage/by?by=model&{RANGE}", person="bob").json()["results"]
    return replace(
        added(of_usage({"requests": 0, "failed_requests": 0, **row}) for row in rows), requests=None, failed=None
    )


def of_usage(said: Any) -> Figures:
    tokens = said["tokens"]
    return Figures(
        said["requests"], said["failed_requests"], said["calls"], tokens["input"], tokens["output"], tokens["total"]
    )


def v1_traces(cast: Cast, get: Get) -> Figures:
    return of_traces(
        get(f"/api/v1/projects/{cast.project.pk}/traces?limit=100&{RANGE}", person="bob").json()["results"]
    )


def export(cast: Cast, get: Get) -> Figures:
    answer = get(f"/api/v1/projects/{cast.project.pk}/traces/export?format=json&{RANGE}", person="bob")
    traces = json.loads(answer.getvalue())["traces"]
    assert all(trace["cached_input_tokens"] <= trace["input_tokens"] for trace in traces)
    return of_traces(traces)


def of_traces(traces: Any) -> Figures:
    def tokens(trace: Any, kind: str) -> int:
        return int(trace["tokens"][kind] if "tokens" in trace else trace[f"{kind}_tokens"])

    return added(
        Figures(
            1, trace["status"] == "error", trace["llm_calls"], *(tokens(trace, k) for k in ("input", "output", "total"))
        )
        for trace in traces
    )


def v4_list(cast: Cast, get: Get) -> Figures:
    said = get(f"/v4/traces/list/{cast.project.pk}?{TIMES}", person="bob").json()["metrics"]
    tokens = (said["prompt_tokens"], said["completion_tokens"], said["total_tokens"])
    return Figures(said["trace_count"], said["fail_count"], None, *tokens)


def v4_project(cast: Cast, get: Get) -> Figures:
    said = get(f"/v4/meterics/project/{cast.project.pk}?{TIMES}", person="bob").json()
    tokens = said["token_metrics"]
    return Figures(
        said["trace_count"],
        len(said["fail_datetime"]),
        None,
        tokens["prompt_tokens"],
        tokens["completion_tokens"],
        tokens["total_tokens"]["all"],
    )


def monitoring(cast: Cast, get: Get) -> Figures:
    said = get(f"/api/monitoring/metrics?project_id={cast.project.pk}&{TIMES}", person="bob").json()
    names = ("trace_count", "error_trace_count", "llm_call_count", "prompt_tokens", "completion_tokens", "total_tokens")
    return Figures(*(said[name] for name in names))


def monitoring_flow(cast: Cast, get: Get) -> Figures:
    said = get(f"/api/monitoring/analytics/agent-flow?project_id={cast.project.pk}&{TIMES}", person="bob").json()
    stages = [node["data"] for node in said["nodes"]]
    return Figures(
        input=sum(stage["prompt_tokens"] for stage in stages),
        output=sum(stage["completion_tokens"] for stage in stages),
        total=sum(stage["total_tokens"] for stage in stages),
    )


def mcp_usage(cast: Cast, get: Get) -> Figures:
    asked = UsageParameters.model_validate({"start": START, "end": END, "step": "day"})
    said = usage_summary(cast.project.pk, asked).result.model_dump()
    assert [of_mcp(step["usage"]) for step in said["steps"]] == [of_mcp(said["total"])]
    return of_mcp(said["total"])


def of_mcp(said: Any) -> Figures:
    tokens = said["tokens"]
    return Figures(
        said["requests"], said["failed_requests"], said["llm_calls"], tokens["input"], tokens["output"], tokens["total"]
    )


def mcp_search(cast: Cast, get: Get) -> Figures:
    asked = SearchParameters.model_validate({"start": START, "end": END, "limit": 1})
    said = search_traces(cast.project.pk, asked).result.model_dump()["totals"]
    return Figures(said["traces"], said["error_traces"], said["llm_calls"], total=said["total_tokens"])


def report(cast: Cast, get: Get) -> Figures:
    schedule = weekly(cast.organization, cast.project, now=NOON)
    said = figures_of(schedule, schedule.rhythm.period_at(NOON))["totals"]
    tokens = (said["input_tokens"], said["output_tokens"], said["total_tokens"])
    return Figures(said["requests"], None, said["calls"], *tokens)


def added(each: Any) -> Figures:
    rows = list(each)
    return Figures(*(sum(getattr(row, name) for row in rows) for name in Figures.__dataclass_fields__))


DOORS: list[Callable[[Cast, Get], Figures]] = [
    *(overview, list_page, v1_usage, v1_usage_over_time, v1_usage_by_model, v1_traces, export, v4_list, v4_project),
    *(monitoring, monitoring_flow, mcp_usage, mcp_search, report),
]


@pytest.mark.parametrize("door", DOORS)
def test_every_door_says_the_same(told: Cast, get: Get, door: Callable[[Cast, Get], Figures]) -> None:
    found = door(told, get)

    expected = {name: value for name, value in vars(RIGHT).items() if getattr(found, name) is not None}
    assert {name: value for name, value in vars(found).items() if value is not None} == expected
    assert expected
