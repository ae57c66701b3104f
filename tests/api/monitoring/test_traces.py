from typing import Any

import pytest

from tests.api.conftest import Get
from tests.cast import Cast
from tests.kept import give, give_recorded
from tests.pages.spans import MS, Spanlet, Value, request_of, store_trace, trace_id

from .stored import address

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

START = 1_795_422_415_123_456_789  # 2026-11-23T08:26:55.123456789Z
LLM: dict[str, Value] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
TWO_CALLS = [
    Spanlet("planning", 1, end=30, status=1),
    Spanlet("first call", 2, 1, 0, 10, attributes={**LLM, "gen_ai.usage.input_tokens": 7}),
    Spanlet("second call", 3, 1, 10, 20, status=2, attributes={**LLM, "gen_ai.cost.total_cost": 0.5}),
]


def page(get: Get, cast: Cast, **query: Any) -> Any:
    answer = get(address("traces", cast.project.pk, **query), person="bob")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_row_is_the_whole_trace(cast: Cast, get: Get) -> None:
    tagged = Spanlet("tagged", 4, 1, 0, 1, attributes={"agentops.tags": ["prod", "eu"]})
    store_trace(cast.project.pk, [*TWO_CALLS, tagged], start_ns=START)

    assert page(get, cast)["traces"] == [
        {
            "trace_id": trace_id(1),
            "service_name": "tests",
            "span_name": "planning",
            "start_time": "2026-11-23 08:26:55.123456789",
            "started_at": "2026-11-23T08:26:55.123456789Z",
            "duration": 30.0,
            "status": "error",  # what was done last failed
            "span_count": 4,
            "error_count": 1,
            "llm_call_count": 2,
            "total_cost": 0.5,
            "unknown_cost_calls": 1,
            "prompt_tokens": 7,
            "completion_tokens": 0,
            "total_tokens": 7,
            "models": ["gpt-4o"],
            "agents": [],
            "tags": ["eu", "prod"],
        }
    ]


def test_a_search_finds_by_any_span_and_still_shows_the_whole_trace(cast: Cast, get: Get) -> None:
    store_trace(cast.project.pk, TWO_CALLS, start_ns=START)
    store_trace(cast.project.pk, [Spanlet("something else")], number=2, start_ns=START)
    whole = page(get, cast, search=trace_id(1))["traces"]

    for search in ("second", "SECOND call", trace_id(1).upper(), "planning"):
        found = page(get, cast, search=search)
        assert found["traces"] == whole, search
        assert found["total"] == 1
    assert whole[0]["span_count"] == 3


@pytest.mark.parametrize("search", ["%", "_", "c_ll", "call%"])
def test_wildcards_of_sql_mean_themselves(cast: Cast, get: Get, search: str) -> None:
    store_trace(cast.project.pk, TWO_CALLS, start_ns=START)

    assert page(get, cast, search=search) == {"traces": [], "total": 0, "page": 1, "size": 20}


def test_pages_hold_every_trace_once_the_newest_first(cast: Cast, get: Get) -> None:
    starts = {number: START + number // 2 * MS for number in range(1, 8)}  # pairs that start together
    give(cast.project, request_of({number: [Spanlet("one")] for number in starts}, starts))

    pages = [page(get, cast, page=number, size=3) for number in (1, 2, 3, 4)]

    rows = [row["trace_id"] for each in pages for row in each["traces"]]
    assert rows == [trace_id(number) for number in (7, 6, 5, 4, 3, 2, 1)]
    assert [len(each["traces"]) for each in pages] == [3, 3, 1, 0]
    assert {(each["total"], each["size"]) for each in pages} == {(7, 3)}
    assert [each["page"] for each in pages] == [1, 2, 3, 4]


def test_a_page_far_behind_the_last_is_empty(cast: Cast, get: Get) -> None:
    store_trace(cast.project.pk, TWO_CALLS, start_ns=START)

    assert page(get, cast, page=1_000_000, size=100)["traces"] == []


def test_types_of_traces(cast: Cast, get: Get) -> None:
    spanlets = {
        1: Spanlet("GET /health"),
        2: Spanlet("call", attributes=LLM),
        3: Spanlet("run", attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Planner"}),
        4: Spanlet("agent of travel", attributes={"http.route": "/agent"}),
        5: Spanlet("both", attributes={**LLM, "gen_ai.agent.name": "Planner"}),
    }
    give(cast.project, request_of({number: [each] for number, each in spanlets.items()}, START))

    def names(kind: str) -> set[str]:
        found = page(get, cast, trace_type=kind)
        assert found["total"] == len(found["traces"])
        return {row["span_name"] for row in found["traces"]}

    assert names("llm") == {"call", "both"}
    assert names("agent") == {"run", "both"}
    assert names("all") == {each.name for each in spanlets.values()}
    assert page(get, cast)["total"] == 5


def test_a_trace_that_guardrails_stopped_is_listed(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "litellm-1.106.2-mixed")

    rows = {row["trace_id"]: row for row in page(get, cast)["traces"]}

    blocked = rows["c544bb9b2b4f2fd9a709d8a0f6dad4b9"]
    assert (blocked["status"], blocked["error_count"], blocked["span_count"]) == ("error", 4, 9)
    assert blocked["span_name"] == "POST /v1/chat/completions"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "error"}, {3}),
        ({"status": "success"}, {1, 2}),
        ({"model": "gpt-4o"}, {2}),
        ({"model": "gpt"}, set()),
        ({"tag": "prod"}, {2}),
        ({"tag": "pro"}, set()),
        ({"min_duration": "10.5"}, {1, 3}),
        ({"max_duration": "10"}, {2}),
        ({"min_duration": "10", "max_duration": "30"}, {1, 2}),
        ({"min_cost": "0.25"}, {2}),
        ({"max_cost": "0.24"}, {1, 3}),
        ({"status": "success", "min_cost": "0.1"}, {2}),
    ],
)
def test_the_filters_of_the_page(cast: Cast, get: Get, query: dict[str, str], expected: set[int]) -> None:
    traces = {
        1: [Spanlet("slow", end=30)],
        2: [Spanlet("priced", attributes={**LLM, "gen_ai.cost.total_cost": 0.25, "agentops.tags": ["prod"]})],
        3: [Spanlet("failed", end=99, status=2)],
    }
    give(cast.project, request_of(traces, START))

    found = page(get, cast, **query)

    assert {row["trace_id"] for row in found["traces"]} == {trace_id(number) for number in expected}
    assert found["total"] == len(expected)


def test_one_trace_has_all_that_was_sent(cast: Cast, get: Get) -> None:
    give_recorded(cast.project, "agentops-0.4.21-session")

    trace = get(address("traces/da3ddb1b0c511473c4cfcfa4e671121b"), person="bob").json()

    assert (trace["total_spans"], trace["total_cost"], trace["unknown_cost_calls"]) == (8, 0.01, 1)
    assert trace["project_id"] == str(cast.project.pk)
    assert [span["span_name"] for span in trace["spans"]] == [
        "research-run.session",
        "no_pii.guardrail",
        "no_pii.guardrail",
        "Researcher.agent",
        "think.task",
        "search.tool",
        "openai.chat.completion",
        "fail.task",
    ]
    call = trace["spans"][6]
    assert (call["span_kind"], call["span_type"], call["status_code"]) == ("Client", "llm", "Ok")
    assert call["timestamp"] == "2026-11-23 08:29:07.873689725"
    assert call["duration"] == 95.211098
    assert call["span_attributes"]["gen_ai.usage.prompt_tokens"] == "12"
    assert call["resource_attributes"]["service.name"] == "agentops"
    assert trace["spans"][0]["parent_span_id"] == ""
    assert trace["spans"][-1]["status_code"] == "Error"


@pytest.mark.parametrize("written", ["DA3DDB1B0C511473C4CFCFA4E671121B", "da3ddb1b-0c51-1473-c4cf-cfa4e671121b"])
def test_ids_of_traces_may_be_written_as_people_write_them(cast: Cast, get: Get, written: str) -> None:
    give_recorded(cast.project, "agentops-0.4.21-session")

    answer = get(address(f"traces/{written}"), person="bob")

    assert answer.json()["trace_id"] == "da3ddb1b0c511473c4cfcfa4e671121b"
