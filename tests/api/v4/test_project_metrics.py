"""GET /v4/meterics/project/{project_id}: sums of a project."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from compat.agentops.v4 import project_metrics
from tests.api.conftest import Get
from tests.cast import Cast
from tests.kept import give, give_recorded
from tests.pages.spans import Spanlet, Value, request_of

from .conftest import answered

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

START = 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z
HOUR = 3600 * 10**9
OK, ERROR = 1, 2
Ask = Callable[..., Any]


@pytest.fixture
def ask(cast: Cast, get: Get) -> Ask:
    def answer(**query: Any) -> Any:
        return answered(get(f"/v4/meterics/project/{cast.project.pk}?{urlencode(query)}", person="bob"))

    return answer


def call(tokens: int, cost: float = 0) -> dict[str, Value]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.usage.input_tokens": tokens - 1,
        "gen_ai.usage.output_tokens": 1,
        "gen_ai.usage.total_cost": cost,
    }


TRACES = {
    # Fine: a second long, its child lies within it.
    1: [
        Spanlet("root", end=1000, status=OK),
        Spanlet("call", id=2, parent=1, start=100, end=900, attributes=call(100, 0.5)),
    ],
    # Failed, and it cost something: two hours later, the next day.
    2: [
        Spanlet("root", end=3000, status=ERROR),
        Spanlet("call", id=2, parent=1, end=2000, status=OK, attributes=call(11, 0.25)),
        Spanlet("call", id=3, parent=1, start=2000, end=3000, status=ERROR, attributes=call(1)),
    ],
    # Fine, without a model.
    3: [Spanlet("probe", end=500)],
}


def store_three(cast: Cast) -> None:
    give(cast.project, request_of(TRACES, {1: START, 2: START + 2 * HOUR, 3: START + HOUR}))


def test_sums_counted_by_hand(cast: Cast, ask: Ask) -> None:
    store_three(cast)

    assert ask() == {
        "project_id": str(cast.project.pk),
        "trace_count": 3,
        "span_count": {"total": 6, "success": 2, "fail": 2, "unknown": 2, "indeterminate": 2},
        "token_metrics": {
            "total_cost": "0.75000",
            "average_cost_per_session": "0.25000",
            "unknown_cost_calls": 1,
            "prompt_tokens": 109,
            "completion_tokens": 3,
            "cache_read_input_tokens": 0,
            "reasoning_tokens": 0,
            "total_tokens": {"all": 112, "success": 100, "fail": 12},
            "avg_tokens": {"all": 37.33, "success": 50.0, "fail": 12.0},  # defect 40: one denominator, traces
        },
        "duration_metrics": {
            "min_duration_ns": 500_000_000,
            "max_duration_ns": 3_000_000_000,
            "avg_duration_ns": 1_500_000_000,
            "total_duration_ns": 4_500_000_000,
            "trace_durations": [500_000_000, 1_000_000_000, 3_000_000_000],  # defect 20: no sums of nested spans
        },
        "success_datetime": ["2023-11-14T22:13:20", "2023-11-14T23:13:20"],  # defect 37
        "fail_datetime": ["2023-11-15T00:13:20"],
        "indeterminate_datetime": [],
        "spans_per_trace": {"1": 1, "2": 1, "3": 1},
        "trace_durations": [500_000_000, 1_000_000_000, 3_000_000_000],
        "trace_cost_dates": {"2023-11-14": 0.5, "2023-11-15": 0.25},  # defect 40: failed traces cost too
        "listed_one_of": 1,
        "start_time": "2023-11-14T22:13:20+00:00",
        "end_time": "2023-11-15T00:13:20+00:00",
        "freeplan_truncated": False,
    }


def test_an_empty_project_has_zeros_and_1970(ask: Ask) -> None:
    answer = ask()

    assert (answer["trace_count"], answer["start_time"]) == (0, "1970-01-01T00:00:00+00:00")
    assert answer["token_metrics"]["avg_tokens"] == {"all": 0.0, "success": 0.0, "fail": 0.0}
    assert answer["spans_per_trace"] == answer["trace_cost_dates"] == {}
    assert answer["trace_durations"] == answer["success_datetime"] == []


def test_sums_are_those_of_the_list(cast: Cast, ask: Ask, get: Get) -> None:
    give_recorded(cast.project, "litellm-1.106.2-mixed", "agentops-0.4.21-session")
    listed = answered(get(f"/v4/traces/list/{cast.project.pk}?limit=100", person="bob"))

    answer = ask()

    assert answer["trace_count"] == listed["total"] == 10
    assert answer["span_count"]["total"] == 103 + 8
    assert answer["span_count"]["fail"] == sum(item["error_count"] for item in listed["traces"])
    assert answer["token_metrics"]["total_tokens"]["all"] == listed["metrics"]["total_tokens"]
    assert answer["token_metrics"]["total_cost"] == "0.01003"
    assert answer["trace_durations"] == sorted(item["duration"] for item in listed["traces"])
    assert len(answer["fail_datetime"]) == sum(item["status"] == "error" for item in listed["traces"])


def test_a_range_holds_the_traces_that_start_in_it(cast: Cast, ask: Ask) -> None:
    store_three(cast)

    answer = ask(start_time="2023-11-15T08:13:20+09:00", end_time="2023-11-15T00:13:20Z")

    assert (answer["trace_count"], answer["span_count"]["total"]) == (2, 4)


def test_buckets_of_spans_are_a_tenth_of_the_longest_trace(cast: Cast, ask: Ask) -> None:
    sizes = {1: 3, 2: 25, 3: 26, 4: 40}
    traces = {
        number: [Spanlet("x", id=each + 1, parent=min(each, 1)) for each in range(size)]
        for number, size in sizes.items()
    }
    give(cast.project, request_of(traces, START))

    assert ask()["spans_per_trace"] == {"0": 1, "24": 2, "40": 1}


def test_long_ranges_list_every_kth_trace_and_sum_all(cast: Cast, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project_metrics, "LISTED", 10)
    give(cast.project, request_of({number: [Spanlet("x")] for number in range(1, 201)}, START))

    answer = ask()

    assert (answer["trace_count"], answer["listed_one_of"]) == (200, 20)
    assert 2 <= len(answer["trace_durations"]) == len(answer["success_datetime"]) <= 25
    assert answer["spans_per_trace"] == {"1": 200}


@pytest.mark.parametrize(
    "form",
    [
        "/v4/meterics/project/{}",
        "/v4/metrics/project/{}",
        "/v4/meterics/project?project_id={}",
        "/v4/metrics/project?project_id={}",
    ],
)
def test_all_addresses_open_to_members_and_the_projects_keys_only(cast: Cast, get: Get, secret: str, form: str) -> None:
    address = form.format(cast.project.pk)

    for credential in ({"person": "bo"}, {"key": secret}):
        assert answered(get(address, **credential))["project_id"] == str(cast.project.pk)
    assert get(address).status_code == 401
    missing = [get(address, person="charlie"), get(form.format(cast.foreign_project.pk), key=secret)]
    missing.append(get(form.format("nonsense"), person="alice"))
    assert {(answer.status_code, answer.content) for answer in missing} == {(404, b'{"detail":"Project not found"}')}


@pytest.mark.parametrize(
    ("query", "name"),
    [("start_time=x", "start_time"), ("start_time=2&end_time=1", "end_time"), ("end_time=-1", "end_time")],
)
def test_a_wrong_time_is_422_and_named(cast: Cast, get: Get, query: str, name: str) -> None:
    answer = get(f"/v4/meterics/project/{cast.project.pk}?{query}", person="bob")

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", name]
