"""GET /v4/traces/list/{project_id}: items, sums, search, order and pages."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.api.conftest import Get
from tests.cast import Cast
from tests.kept import give, give_recorded
from tests.pages.spans import Spanlet, request_of, store, store_trace, trace_id

from .conftest import MASKED, SESSION, answered

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

ERROR = 2
LLM = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o"}
START = 1_700_000_000_000_000_000
Ask = Callable[..., Any]


@pytest.fixture
def ask(cast: Cast, get: Get) -> Ask:
    """`ask(limit=1)`: the answer as Bob."""

    def answer(**query: Any) -> Any:
        return answered(get(f"/v4/traces/list/{cast.project.pk}?{urlencode(query)}", person="bob"))

    return answer


def ids(answer: Any) -> list[str]:
    return [item["trace_id"] for item in answer["traces"]]


def test_a_recorded_session_has_these_very_figures(cast: Cast, ask: Ask) -> None:
    give_recorded(cast.project, "agentops-0.4.21-session")

    assert ask() == {
        "traces": [
            {
                "freeplan_truncated": False,
                "trace_id": SESSION,
                "root_service_name": "agentops",
                "root_span_name": "research-run.session",
                "start_time": "2026-11-23T08:29:07.872344+00:00",
                "end_time": "2026-11-23T08:29:07.972752+00:00",
                "duration": 1795422547972752573 - 1795422547872344884,
                "status": "ok",
                "span_count": 8,
                "error_count": 1,  # fail.task
                "tags": ["demo"],
                "total_cost": 0.01,  # the tool's; nobody says what the model's call cost
                "unknown_cost_calls": 1,
            }
        ],
        "metrics": {
            "span_count": 8,
            "trace_count": 1,
            "success_count": 1,
            "fail_count": 0,
            "indeterminate_count": 0,
            "prompt_tokens": 12,
            "completion_tokens": 8,
            "cache_read_input_tokens": 0,
            "reasoning_tokens": 0,
            "total_tokens": 20,
            "prompt_cost": "0.0000000",
            "completion_cost": "0.0000000",
            "other_cost": "0.0100000",
            "average_cost_per_trace": "0.0100000",
            "total_cost": "0.0100000",
            "unknown_cost_calls": 1,
        },
        "total": 1,
        "limit": 20,
        "offset": 0,
        "next_cursor": None,
        "freeplan_truncated": False,
    }


def test_of_a_project_without_traces_all_is_zero(ask: Ask) -> None:
    answer = ask()

    assert (answer["traces"], answer["total"]) == ([], 0)
    assert answer["metrics"]["average_cost_per_trace"] == "0.0000000"


def test_a_trace_of_one_span_lasts_as_long_as_the_span(cast: Cast, ask: Ask) -> None:
    # Defect 36: the last span's own length was left out.
    store_trace(cast.project.pk, [Spanlet("only", end=1500)], start_ns=START)

    [item] = ask()["traces"]

    assert item["duration"] == 1_500_000_000
    assert (item["start_time"], item["end_time"]) == ("2023-11-14T22:13:20+00:00", "2023-11-14T22:13:21.500000+00:00")


def test_the_root_and_its_outcome_count_wherever_they_stand_in_time(cast: Cast, ask: Ask) -> None:
    # Defect 37: the earliest span gave the name, the span that started last the status.
    late_root = [Spanlet("early child", id=2, parent=1, start=0), Spanlet("root", id=1, start=5, status=ERROR)]
    fallback = [
        Spanlet("root", id=1, end=50),
        Spanlet("failed", id=2, parent=1, start=1, end=5, status=ERROR, attributes=LLM),
        Spanlet("worked", id=3, parent=1, start=6, end=20, attributes=LLM),
    ]
    give(cast.project, request_of({1: late_root, 2: fallback}, START))

    found = {item["trace_id"]: item for item in ask()["traces"]}

    assert found[trace_id(1)]["root_span_name"] == "root"
    assert found[trace_id(1)]["status"] == "error"
    assert (found[trace_id(2)]["status"], found[trace_id(2)]["error_count"]) == ("ok", 1)
    metrics = ask()["metrics"]
    assert (metrics["success_count"], metrics["fail_count"], metrics["indeterminate_count"]) == (1, 1, 0)


def test_spans_are_counted_as_spans_and_the_parts_of_a_cost_add_up(cast: Cast, ask: Ask) -> None:
    # Defect 38. Costs of the recorded calls: 0.00000645, 0.0000135 and 0.0000135; the others are unknown.
    give_recorded(cast.project, "litellm-1.106.2-mixed")

    metrics = ask()["metrics"]

    assert (metrics["span_count"], metrics["trace_count"]) == (103, 9)
    assert metrics["total_cost"] == "0.0000334"
    parts = [float(metrics[f"{name}_cost"]) for name in ("prompt", "completion", "other")]
    assert sum(parts) == float(metrics["total_cost"])


def test_items_total_and_sums_follow_one_rule_of_search(cast: Cast, ask: Ask) -> None:
    # Defect 39: `total` looked at all spans, the items at the root only.
    child = [Spanlet("root"), Spanlet("Findme.tool", id=2, parent=1)]
    tagged = [Spanlet("root", attributes={"agentops.tags": ["a findme tag"]})]
    give(cast.project, request_of({1: child, 2: tagged, 3: [Spanlet("other")]}, START))

    for query, expected in {"FINDME": {1, 2}, "0000003": {3}, "%": set(), "' OR 1=1 --": set(), "": {1, 2, 3}}.items():
        answer = ask(query=query)
        assert set(ids(answer)) == {trace_id(number) for number in expected}, query
        assert answer["total"] == answer["metrics"]["trace_count"] == len(expected)


def test_a_found_trace_keeps_the_figures_of_all_its_spans(cast: Cast, ask: Ask) -> None:
    store_trace(cast.project.pk, [Spanlet("root", end=99), Spanlet("needle", id=2, parent=1)])

    [item] = ask(query="needle")["traces"]

    assert (item["span_count"], item["duration"]) == (2, 99_000_000)


def test_nothing_known_of_a_cost_is_null_and_nothing_to_know_is_zero(cast: Cast, ask: Ask) -> None:
    give(cast.project, request_of({1: [Spanlet("call", attributes=LLM)], 2: [Spanlet("probe")]}, START))

    costs = {item["trace_id"]: (item["total_cost"], item["unknown_cost_calls"]) for item in ask()["traces"]}

    assert costs == {trace_id(1): (None, 1), trace_id(2): (0, 0)}


def test_both_ends_of_the_range_belong_to_it_with_offset_and_fraction(cast: Cast, ask: Ask) -> None:
    # Defect 42: offsets and fractions were dropped.
    for number, start_ms in {1: 0, 2: 250, 3: 500}.items():
        store_trace(cast.project.pk, [Spanlet("x")], number=number, start_ns=START + start_ms * 10**6)

    assert ids(ask(start_time="2023-11-14T22:13:20.25Z", end_time="2023-11-15T07:13:20.5+09:00")) == [
        trace_id(3),
        trace_id(2),
    ]
    assert ids(ask(start_time="2023-11-14T22:13:20.250")) == [trace_id(3), trace_id(2)]  # UTC without an offset
    assert ids(ask(start_time="1700000000.25", end_time="1700000000.25")) == [trace_id(2)]
    assert ids(ask(end_time="2023-11-14T22:13:20")) == [trace_id(1)]
    assert ask(start_time="2023-11-14T22:13:21Z")["total"] == 0


ROWS = {
    1: [Spanlet("b", end=300, attributes={**LLM, "gen_ai.usage.total_cost": 0.5})],
    2: [Spanlet("c", end=100), Spanlet("x", id=2, parent=1, end=50, status=ERROR)],
    3: [Spanlet("a", end=200, attributes=LLM), Spanlet("x", id=2, parent=1), Spanlet("x", id=3, parent=1)],
}


@pytest.mark.parametrize(
    ("order_by", "ascending"),
    [
        ("trace_id", [1, 2, 3]),
        ("span_name", [3, 1, 2]),
        ("root_span_name", [3, 1, 2]),
        ("service_name", [1, 2, 3]),  # equal: by id
        ("start_time", [2, 3, 1]),
        ("end_time", [2, 3, 1]),
        ("duration", [2, 3, 1]),
        ("span_count", [1, 2, 3]),
        ("error_count", [1, 3, 2]),
        ("total_cost", [1, 2, 3]),
    ],
)
def test_every_column_sorts(cast: Cast, ask: Ask, order_by: str, ascending: list[int]) -> None:
    give(cast.project, request_of(ROWS, {1: START + 3 * 10**9, 2: START, 3: START + 10**9}))
    expected = [trace_id(number) for number in ascending]

    assert ids(ask(order_by=order_by, sort_order="ASC")) == expected
    backwards = [expected[0], *reversed(expected[1:])] if order_by == "total_cost" else expected[::-1]
    assert ids(ask(order_by=order_by, sort_order="desc")) == backwards  # unknown costs come last both ways
    assert ids(ask(order_by=order_by, limit=1, offset=1, sort_order="ASC")) == expected[1:2]


def test_pages_by_offset_and_by_cursor_hold_every_trace_once(cast: Cast, ask: Ask) -> None:
    store(cast.project.pk, request_of({number: [Spanlet("x")] for number in range(1, 6)}, START))

    by_offset = [trace for offset in (0, 2, 4) for trace in ids(ask(limit=2, offset=offset))]
    first = ask(limit=2)
    store_trace(cast.project.pk, [Spanlet("meanwhile")], number=9, start_ns=START + 1)
    second = ask(limit=2, cursor=first["next_cursor"])
    third = ask(limit=2, cursor=second["next_cursor"])

    expected = [trace_id(number) for number in range(5, 0, -1)]
    assert by_offset == expected
    assert ids(first) + ids(second) + ids(third) == expected
    assert third["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ("limit=0", "limit", "greater than or equal to 1"),
        ("limit=101", "limit", "less than or equal to 100"),
        ("limit=9" * 60, "limit", ""),
        ("offset=-1", "offset", "greater than or equal to 0"),
        ("offset=99999999999999999999999999", "offset", ""),
        ("order_by=password", "order_by", "not a valid choice"),
        ("order_by=start_time;DROP TABLE x", "order_by", "not a valid choice"),
        ("sort_order=sideways", "sort_order", "not a valid choice"),
        ("start_time=yesterday", "start_time", "valid datetime"),
        ("start_time=9999-12-31T23:59:59Z", "start_time", "between 1970 and 2262"),
        ("start_time=2026-01-02T00:00:00Z&end_time=2026-01-01T00:00:00Z", "end_time", "before start_time"),
        ("query=%00", "query", "Null characters"),
        ("query=" + "x" * 1001, "query", "no more than 1000"),
        ("cursor=1'--", "cursor", "next_cursor"),
        ("cursor=1-a&offset=1", "cursor", "no offset"),
        ("cursor=1-a&order_by=duration", "cursor", "start_time"),
    ],
)
def test_a_wrong_parameter_is_422_and_named(cast: Cast, get: Get, query: str, name: str, words: str) -> None:
    answer = get(f"/v4/traces/list/{cast.project.pk}?{query}", person="bob")

    assert answer.status_code == 422, answer.content
    [problem] = answer.json()["detail"]
    assert problem["loc"] == ["query", name]
    assert words in problem["msg"]


def test_parameters_that_nobody_knows_do_not_matter(cast: Cast, ask: Ask) -> None:
    assert ask(_t="1", foo="bar")["total"] == 0


@pytest.mark.parametrize("form", ["/v4/traces/list/{}", "/v4/traces?project_id={}"])
def test_both_addresses_open_to_members_and_the_projects_keys_only(
    cast: Cast, get: Get, secret: str, form: str
) -> None:
    give_recorded(cast.project, "litellm-1.106.2-mixed")
    address = form.format(cast.project.pk)

    for credential in ({"person": "bo"}, {"key": secret}):
        assert MASKED in ids(answered(get(address, **credential)))
    assert get(address).status_code == 401
    missing = [get(address, person="charlie"), get(form.format(cast.foreign_project.pk), key=secret)]
    missing += [get(form.format(project), person="alice") for project in ("nonsense", "0" * 36)]
    assert {(answer.status_code, answer.content) for answer in missing} == {(404, b'{"detail":"Project not found"}')}


def test_without_a_project_a_key_means_its_own_and_a_person_is_asked(cast: Cast, get: Get, secret: str) -> None:
    give_recorded(cast.project, "agentops-0.4.21-session")

    assert ids(answered(get("/v4/traces", key=secret))) == [SESSION]
    answer = get("/v4/traces", person="alice")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "project_id"]
