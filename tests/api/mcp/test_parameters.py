from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cast import Cast
from tests.pages.spans import MS, Spanlet, span_id, store_trace, trace_id

from .conftest import Agent

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])]


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("search_traces", {"last": "yesterday"}, "last: Write a number and m, h, d or w"),
        ("search_traces", {"last": "0h"}, "last: Write a number"),
        ("search_traces", {"last": "999999w"}, "last: Choose at most ten years."),
        ("search_traces", {"last": "1h", "start": "2026-11-23T00:00:00Z"}, "last: Give either"),
        ("search_traces", {"start": "2026-11-23T00:00:00"}, "start: Input should have timezone info"),
        ("search_traces", {"start": "23.11.2026"}, "start: Input should be a valid datetime"),
        ("search_traces", {"start": "0001-01-01T00:00:00+14:00"}, "start: Choose a time between 1970 and 2262."),
        ("search_traces", {"end": "9999-12-31T23:59:59-12:00"}, "end: Choose a time between 1970 and 2262."),
        (
            "search_traces",
            {"start": "2026-11-23T09:00:00+09:00", "end": "2026-11-23T00:00:00Z"},
            "end: The end must come after the start.",
        ),
        ("search_traces", {"start": "2261-01-01T00:00:00Z"}, "start: The end must come after the start."),
        ("search_traces", {"limit": 0}, "limit: Input should be greater than or equal to 1"),
        ("search_traces", {"limit": 10**30}, "limit: Input should be less than or equal to 100"),
        ("search_traces", {"limit": "ten"}, "limit: Input should be a valid integer"),
        ("search_traces", {"status": "broken"}, "status: Input should be '', 'ok' or 'error'"),
        ("search_traces", {"cursor": "1'--"}, "cursor: This names no page"),
        ("search_traces", {"text": "a\x00b"}, "text: The text holds a NUL character."),
        ("search_traces", {"text": "x" * 301}, "text: String should have at most 300 characters"),
        ("search_traces", {"from": "1h"}, "from: There is no such parameter. There are: last, start, end, text"),
        ("search_traces", {"limit": 0, "sort": "x"}, "limit: Input should be greater"),
        ("search_traces", {"min_cost_usd": "NaN"}, "min_cost_usd: Input should be a finite number"),
        ("get_trace", {}, "trace_id: Field required"),
        ("get_trace", {"trace_id": "abc"}, "trace_id: A trace id is 32 hexadecimal digits."),
        ("get_trace", {"trace_id": "' OR 1=1 --"}, "trace_id: A trace id is 32 hexadecimal digits."),
        ("get_trace", {"trace_id": "f" * 32}, "trace_id: There is no such trace in this project."),
        ("get_span", {"span_id": "xyz"}, "span_id: A span id is 16 hexadecimal digits."),
        ("get_span", {"span_id": "f" * 16}, "span_id: There is no such span in this project."),
        ("get_span", {"span_id": "f" * 16, "max_characters": 1}, "max_characters: Input should be greater"),
        ("usage_summary", {"timezone": "Mars/Olympus"}, "timezone: There is no such time zone."),
        ("usage_summary", {"timezone": "../etc/passwd", "step": "day"}, "timezone: There is no such time zone."),
        ("usage_summary", {"group_by": "user"}, "group_by: Input should be 'none', 'model'"),
        ("usage_summary", {"last": "4w", "step": "hour"}, "step: This range has more than 200 steps"),
        ("guardrail_summary", {"outcomes": ["blocked", "eaten"]}, "outcomes.1: Input should be"),
    ],
    ids=lambda value: None,
)
def test_a_wrong_parameter_is_named(agent: Agent, tool: str, arguments: dict[str, Any], words: str) -> None:
    answer = agent.call(tool, **arguments)

    assert answer.is_error
    assert answer.structured_content is None
    [content] = answer.content
    assert content.type == "text"
    assert words in content.text
    assert "Traceback" not in content.text


def test_relative_and_absolute_ranges_meet(agent: Agent, cast: Cast) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    for number, hours in ((1, 1), (2, 5), (3, 30)):
        start = int((now - timedelta(hours=hours)).timestamp() * 1000) * MS
        store_trace(cast.project.pk, [Spanlet(f"{hours} hours ago")], number, start)

    def names(**arguments: Any) -> list[str]:
        return [trace["name"] for trace in agent.ask("search_traces", **arguments)["traces"]]

    assert names() == ["1 hours ago", "5 hours ago"]  # 24 hours unless told
    assert names(last="2h") == ["1 hours ago"]
    assert names(last="90m") == ["1 hours ago"]
    assert names(last="1w") == ["1 hours ago", "5 hours ago", "30 hours ago"]
    assert names(last="2h", end=(now - timedelta(hours=4)).isoformat()) == ["5 hours ago"]
    assert names(start=(now - timedelta(hours=6)).isoformat()) == ["1 hours ago", "5 hours ago"]
    seoul = (now - timedelta(hours=2)).astimezone().isoformat()
    assert names(start=(now - timedelta(hours=6)).isoformat(), end=seoul) == ["5 hours ago"]


def test_ids_are_taken_in_any_case_and_with_dashes(agent: Agent, cast: Cast) -> None:
    stored = store_trace(cast.project.pk, [Spanlet("root", id=0xABCDEF)], 0xABCDEF)
    dashed = f"{stored[:8]}-{stored[8:12]}-{stored[12:16]}-{stored[16:20]}-{stored[20:]}".upper()

    assert agent.ask("get_trace", trace_id=dashed)["trace"]["trace_id"] == trace_id(0xABCDEF)
    assert agent.ask("get_span", span_id=span_id(0xABCDEF).upper())["span_id"] == span_id(0xABCDEF)


def test_sql_in_a_text_is_text(agent: Agent, cast: Cast) -> None:
    store_trace(cast.project.pk, [Spanlet("it's 100% {id:String}")])

    assert agent.ask("search_traces", text="' OR '1'='1")["traces"] == []
    assert agent.ask("search_traces", text="100_")["traces"] == []
    assert len(agent.ask("search_traces", text="'S 100% {ID:")["traces"]) == 1
