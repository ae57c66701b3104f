"""Answers fit into a model's context, and say how to get the rest."""

import pytest

from tests.cast import Cast
from tests.pages.spans import Spanlet, span_id, store_trace, trace_id

from .conftest import Agent

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])]

PROMPT = "".join(f"{number:05d} " for number in range(20_000))  # 120,000 characters


def test_a_long_prompt_is_cut_and_read_on_to_its_end(agent: Agent, cast: Cast) -> None:
    store_trace(cast.project.pk, [Spanlet("ask", attributes={"gen_ai.prompt.0.content": PROMPT, "short": "whole"})])

    span = agent.ask("get_span", span_id=span_id(1), trace_id=trace_id(1))

    [cut] = span["cut"]
    assert span["attributes"]["short"] == "whole"
    assert span["attributes"]["gen_ai.prompt.0.content"] == PROMPT[: cut["offset"]]
    assert cut == {"field": "attributes.gen_ai.prompt.0.content", "offset": 4_000, "characters": len(PROMPT)}
    read, offset = span["attributes"]["gen_ai.prompt.0.content"], cut["offset"]
    while offset is not None:
        part = agent.ask("get_span", span_id=span_id(1), field=cut["field"], offset=offset, max_characters=40_000)
        assert part["attributes"] == {}
        read, offset = read + part["part"]["text"], part["part"]["next_offset"]
    assert read == PROMPT
    text = agent.text("get_span", span_id=span_id(1))
    assert "[cut at 4000 of 120000 characters: field=attributes.gen_ai.prompt.0.content offset=4000]" in text


def test_many_long_values_share_one_limit(agent: Agent, cast: Cast) -> None:
    attributes = {f"key.{number:03d}": PROMPT[:5_000] for number in range(400)}
    store_trace(cast.project.pk, [Spanlet("ask", attributes=attributes)])

    span = agent.ask("get_span", span_id=span_id(1))

    assert sum(map(len, span["attributes"].values())) <= 40_000
    assert span["fields_left_out"] >= 100
    assert len(agent.text("get_span", span_id=span_id(1))) < 100_000


def test_events_and_messages_are_in_the_span(agent: Agent, cast: Cast) -> None:
    spanlet = Spanlet(
        "fail",
        status=2,
        message="it broke",
        events=[("exception", {"exception.type": "ValueError", "exception.message": "no such city"})],
    )
    store_trace(cast.project.pk, [spanlet])

    span = agent.ask("get_span", span_id=span_id(1))

    assert (span["status"], span["status_message"]) == ("Error", "it broke")
    assert span["events"][0]["attributes"]["exception.message"] == "no such city"
    assert "exception.message: no such city" in agent.text("get_span", span_id=span_id(1))
    part = agent.ask("get_span", span_id=span_id(1), field="events.0.exception.type")["part"]
    assert (part["text"], part["next_offset"]) == ("ValueError", None)
    assert "no such value" in agent.text("get_span", span_id=span_id(1), field="attributes.nothing")


def test_a_trace_of_many_spans_comes_in_parts(agent: Agent, cast: Cast) -> None:
    children = [Spanlet(f"step {number}", id=number, parent=1, start=number) for number in range(2, 301)]
    store_trace(cast.project.pk, [Spanlet("root", end=500), *children])

    parts, offset = [], 0
    while offset is not None:
        trace = agent.ask("get_trace", trace_id=trace_id(1), offset=offset, limit=120)
        parts.append([span["span_id"] for span in trace["spans"]])
        offset = trace["next_offset"]

    assert [len(part) for part in parts] == [120, 120, 60]
    assert [each for part in parts for each in part] == [span_id(number) for number in range(1, 301)]
    assert "180 more: offset=120" in agent.text("get_trace", trace_id=trace_id(1), limit=120)
    assert agent.ask("get_trace", trace_id=trace_id(1), offset=5000)["spans"] == []


def test_errors_alone_may_be_asked_for(agent: Agent, cast: Cast) -> None:
    spans = [
        Spanlet("root", end=50),
        Spanlet("GET /health", id=2, parent=1, attributes={"http.method": "GET"}),
        Spanlet("deep", id=3, parent=2, status=2, message="no"),
    ]
    store_trace(cast.project.pk, spans)

    failed = agent.ask("get_trace", trace_id=trace_id(1), show="errors")
    key = agent.ask("get_trace", trace_id=trace_id(1), show="key")

    assert [(span["name"], span["depth"]) for span in failed["spans"]] == [("deep", 2)]
    assert [span["name"] for span in key["spans"]] == ["root", "deep"]
