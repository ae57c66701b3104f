"""One trace, its spans, one span."""

import pytest

from tests.api.conftest import Get
from tests.api.v1.costs import reported
from tests.cast import Cast
from tests.pages.spans import span_id, trace_id

from .conftest import RECORDED
from .test_traces import FIRST

pytestmark = pytest.mark.django_db(databases=["default", "clickhouse"])

SPAN = {
    "span_id": span_id(2),
    "parent_span_id": span_id(1),
    "name": "chat gpt-4o",
    "kind": "Internal",
    "type": "llm",
    "service": "tests",
    "status": "Unset",
    "status_message": "",
    "start": "2026-10-01T00:10:00.010000000Z",
    "end": "2026-10-01T00:10:00.110000000Z",
    "duration_ns": 100_000_000,
    "is_llm_call": True,
    "model": "gpt-4o",
    "requested_model": "gpt-4o",
    "provider": "",
    "tokens": {"input": 10, "output": 20, "cached_input": 0, "reasoning": 0, "cache_write": 0, "total": 30},
    "cost": reported("0.25") | {"discounts": []},
    "agent": "planner",
    "tool": "",
    "guardrail": {"name": "", "mode": "", "outcome": ""},
    "session_id": "",
    "user_id": "",
    "http_status": 0,
    "same_call_as": "",
    "same_call_trace": "",
    "same_call_why": "",
    "same_call_service": "",
}


def test_a_trace_has_no_spans_unless_asked(figures: Cast, get: Get, at: str) -> None:
    answer = get(f"{at}/traces/{trace_id(1)}", person="bo")

    cost = {**reported("0.75"), "discounts": []}
    assert answer.json() == {**FIRST, "cost": cost, "root_span_id": span_id(1), "has_root": True}


def test_spans_come_in_their_order_and_without_what_was_said(figures: Cast, get: Get, at: str) -> None:
    trace = get(f"{at}/traces/{trace_id(1)}?include=spans", person="bo").json()

    assert [span["span_id"] for span in trace["spans"]] == [span_id(number) for number in (1, 4, 2, 3)]
    assert trace["spans"][2] == SPAN
    assert trace["hidden_spans"] == 0


def test_with_attributes_spans_are_whole(figures: Cast, get: Get, at: str) -> None:
    trace = get(f"{at}/traces/{trace_id(1)}?include=spans,attributes", person="bo").json()

    span = trace["spans"][2]
    assert span.items() >= SPAN.items()
    assert span["attributes"]["gen_ai.usage.input_tokens"] == "10"
    assert span["resource"]["service.name"] == "tests"
    assert (span["events"], span["links"]) == ([], [])
    assert get(f"{at}/traces/{trace_id(1)}/spans/{span_id(2)}", person="bo").json() == span


def test_ids_may_be_written_like_a_uuid_and_in_capitals(figures: Cast, get: Get, at: str) -> None:
    assert get(f"{at}/traces/00000000-0000-0000-0000-000000000001", person="bo").json()["trace_id"] == trace_id(1)


def test_events_and_errors_are_answered_as_they_were_recorded(mixed: Cast, get: Get, at: str) -> None:
    [failed, *_] = get(f"{at}/traces?{RECORDED}&has_errors=true", person="bo").json()["results"]
    spans = get(f"{at}/traces/{failed['trace_id']}/spans?include=attributes", person="bo").json()["results"]

    events = [event for span in spans for event in span["events"]]
    assert {event["name"] for event in events} >= {"exception"}
    assert all(event["time"].endswith("Z") and event["attributes"] for event in events)
    assert sum(span["status"] == "Error" for span in spans) == failed["error_count"]


def test_spans_come_in_pages_that_miss_none(mixed: Cast, get: Get, at: str) -> None:
    [trace, *_] = get(f"{at}/traces?{RECORDED}&llm=true", person="bo").json()["results"]
    whole = get(f"{at}/traces/{trace['trace_id']}?include=spans", person="bo").json()["spans"]
    address: str | None = f"{at}/traces/{trace['trace_id']}/spans?limit=4"
    found = []
    while address:
        answer = get(address, person="bo").json()
        found += answer["results"]
        address = answer["next"]

    assert found == whole
    assert len(found) == trace["span_count"] > 4


@pytest.mark.parametrize(
    "path",
    [
        f"traces/{trace_id(7)}",
        f"traces/{trace_id(9)}",  # Charlie's
        "traces/x",
        "traces/' OR 1=1",
        "traces/%00",
        f"traces/{trace_id(9)}/spans",
        f"traces/{trace_id(9)}/spans/{span_id(1)}",
        f"traces/{trace_id(1)}/spans/{span_id(7)}",
        f"traces/{trace_id(1)}/spans/x",
    ],
)
def test_what_the_project_does_not_have_is_404(figures: Cast, get: Get, at: str, path: str) -> None:
    answer = get(f"{at}/{path}", person="alice")

    assert answer.status_code == 404
    assert list(answer.json()) == ["detail"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (f"traces/{trace_id(1)}?include=prompts", "include"),
        (f"traces/{trace_id(1)}?limit=1", "limit"),
        (f"traces/{trace_id(1)}/spans?include=spans", "include"),
        (f"traces/{trace_id(1)}/spans?cursor=1-2", "cursor"),
        (f"traces/{trace_id(1)}/spans?cursor=WzEsMl0", "cursor"),  # of another list
        (f"traces/{trace_id(1)}/spans?cursor=Wy0xLDAsIiJd", "cursor"),  # a time before 1970
        (f"traces/{trace_id(1)}/spans/{span_id(1)}?fields=name", "fields"),
    ],
)
def test_a_wrong_parameter_is_400_and_named(figures: Cast, get: Get, at: str, path: str, field: str) -> None:
    answer = get(f"{at}/{path}", person="alice")

    assert (answer.status_code, list(answer.json())) == (400, [field])
