"""Nasty texts, wherever a span can carry them: each reader shows what it can, and none fails."""

import json
from typing import Any

import pytest

from benchmarks.fuzz.texts import FREEZING, deep, freezing
from compat.agentops.v4 import spans as v4_spans
from tests.cast import Cast
from tests.pages.spans import Spanlet, Value, span_id, store_trace
from traces.live import feed
from traces.pages import span_page
from traces.reading import replay
from traces.templatetags import waterfall

from .reading import Everybody

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "clickhouse"])

LLM: dict[str, Value] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}
HALF = r"cut \ud83e"
WHOLE = "cut \ufffd"


def test_half_an_emoji_anywhere(everybody: Everybody, cast: Cast) -> None:
    message = json.dumps([{"role": "user", "content": "x"}]).replace("x", HALF)
    python = "[{'role': 'user', 'content': 'x'}]".replace("x", HALF)
    texts: list[dict[str, Value]] = [
        {"agentops.tags": f'["ok", "{HALF}"]', **LLM, "gen_ai.input.messages": message},
        {"langfuse.trace.tags": f"['ok', '{HALF}']", **LLM, "gen_ai.input.messages": python},
        {"metadata.requester_metadata": "{'tags': ['x']}".replace("x", HALF), **LLM, "llm.openai.messages": python},
        {**LLM, "gen_ai.prompt": message, "gen_ai.tool.definitions": f'[{{"name": "{HALF}"}}]'},
        {**LLM, "langfuse.observation.input": message, "langfuse.observation.output": python},
        {**LLM, "traceloop.entity.input": message, "traceloop.entity.output": python},
        {"tool.name": "t", "tool.parameters": f'{{"a": "{HALF}"}}', "tool.result": f"{{'a': '{HALF}'}}"},
        {"guardrail_name": "g", "guardrail_response": f'"{HALF}"', "guardrail_request": f"['{HALF}']"},
    ]
    spans = [Spanlet("half", id=1 + number, attributes=each) for number, each in enumerate(texts)]
    trace = store_trace(cast.project.pk, spans)

    told = everybody.hear()
    shown = everybody.read(trace, *(span_id(1 + number) for number in range(len(texts))), lists=True)

    assert shown.faults == []
    assert shown.json("v1 trace")["tags"] == sorted([WHOLE, "ok"])
    assert shown.json("v1 traces")["results"][0]["tags"] == sorted([WHOLE, "ok"])
    for number in range(len(texts)):
        assert WHOLE in shown.text("span panel" + (f" {number}" if number else ""))
    events = shown.json("monitoring replay")["events"]
    assert [event["data"]["prompt"] for event in events[:6]] == [WHOLE] * 6
    assert WHOLE in events[6]["data"]["input"]
    assert events[7]["data"]["reasoning"] == WHOLE
    assert any(WHOLE in json.dumps(each, ensure_ascii=False) for each in told)


def test_texts_that_freeze_and_nest(everybody: Everybody, cast: Cast) -> None:
    texts = {**freezing(60_000), **{f"deep {name}": text for name, text in deep(990).items()}}
    spans = [Spanlet("root", end=500, attributes={"agentops.tags": FREEZING["f-string"](60_000)})]
    for number, text in enumerate(texts.values()):
        values: dict[str, Value] = {"gen_ai.input.messages": text, "gen_ai.tool.definitions": text, "input.value": text}
        spans.append(Spanlet("nasty", id=2 + number, parent=1, attributes={**LLM, **values}))
    trace = store_trace(cast.project.pk, spans)

    shown = everybody.read(trace, span_id(1), span_id(2), span_id(2 + len(texts) - 1))

    assert shown.faults == []
    assert len(shown.json("monitoring replay")["events"]) == len(spans)
    assert shown.json("v1 trace")["tags"] == [texts["f-string"][:199] + "…"]
    for name in ("span panel", "span panel 1", "span panel 2"):
        assert len(shown.answers[name]) < 700_000


def test_keys_and_positions_without_end(everybody: Everybody, cast: Cast) -> None:
    attributes: dict[str, Value] = {
        **LLM,
        f"gen_ai.prompt.{'9' * 5000}.content": "last",
        "gen_ai.prompt.0.content": "first",
        f"gen_ai.completion.{'.'.join('a' * 2001)}": "deep",
        f"llm.tools.{'.'.join('a' * 2001)}": "deep",
        "": "empty",
        "..": "dots",
    }
    trace = store_trace(cast.project.pk, [Spanlet("keys", attributes=attributes)])

    shown = everybody.read(trace, span_id(1))

    assert shown.faults == []
    [event] = shown.json("monitoring replay")["events"]
    assert event["data"]["prompt"] == "first\nlast"


def test_very_many_attributes_and_messages(everybody: Everybody, cast: Cast) -> None:
    messages = json.dumps([{"role": "user", "content": f"{number} " + "x" * 20_000} for number in range(300)])
    many: dict[str, Value] = {f"key.{number:06}": "v" for number in range(30_000)}
    raised = [("exception", {"exception.message": str(number)}) for number in range(500)]
    spans = [
        Spanlet("talk", attributes={**LLM, "gen_ai.input.messages": messages}),
        Spanlet("many", id=2, parent=1, attributes=many, events=raised),
        Spanlet("n" * 100_000, id=3, parent=1, attributes={"session.id": "s" * 50_000, "tool.name": "t" * 50_000}),
    ]
    trace = store_trace(cast.project.pk, spans)

    shown = everybody.read(trace, *(span_id(number) for number in (1, 2, 3)), lists=True)

    assert shown.faults == []
    talk, table, names = (shown.text(name) for name in ("span panel", "span panel 1", "span panel 2"))
    assert len(talk) < 600_000
    assert "299 xxx" in talk  # what was said last
    assert "285 earlier messages are not shown here: see JSON" in talk
    assert len(table) < 600_000
    assert "… and 29,000 more: see JSON" in table or "… and 29000 more: see JSON" in table
    assert "… and 480 more: see JSON" in table
    assert len(names) < 300_000
    assert len(shown.json("span JSON 1")["attributes"]) == 30_000
    assert len(shown.answers["trace page"]) < 300_000
    assert len(shown.answers["trace list"]) < 300_000


def failing(*args: Any, **kwargs: Any) -> Any:
    raise RecursionError("as an odd span makes it")


@pytest.mark.unshown
def test_one_span_that_cannot_be_shown(
    everybody: Everybody, cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    odd_one: dict[str, Value] = {**LLM, "gen_ai.prompt": "hello"}
    trace = store_trace(cast.project.pk, [Spanlet("odd", attributes=odd_one), Spanlet("plain", 2, 1)])
    monkeypatch.setattr(span_page, "conversation", failing)
    monkeypatch.setattr(replay, "conversation", failing)
    monkeypatch.setattr(v4_spans, "nested", failing)
    monkeypatch.setattr(waterfall, "_whole_line", failing)
    monkeypatch.setattr(feed, "list_row", failing)

    told = everybody.hear()
    shown = everybody.read(trace, span_id(1))

    reason = "This cannot be shown: RecursionError: as an odd span makes it"
    assert shown.faults == []
    for name in ("span page", "span panel", "shared span", "trace page", "share"):
        assert reason in shown.text(name)
    assert "?format=json" in shown.text("span panel")
    odd, plain = shown.json("monitoring replay")["events"]
    assert (odd["type"], odd["data"]["unshown"], odd["data"]["span_id"]) == ("span_start", reason, span_id(1))
    assert "unshown" not in plain["data"]
    assert shown.json("public trace")["spans"][0]["span_attributes"]["gen_ai.prompt"] == "hello"
    assert any(each["type"] == "error" and reason in each["data"]["message"] for each in told)
    assert "cannot be shown" in caplog.text


def test_pages_of_a_normal_trace_are_as_they_were(everybody: Everybody, cast: Cast) -> None:
    message = json.dumps([{"role": "user", "content": "Hello"}])
    picture = [{"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 200_000}}]
    attributes: dict[str, Value] = {**LLM, "gen_ai.input.messages": message}
    media: dict[str, Value] = {**LLM, "gen_ai.input.messages": json.dumps([{"role": "user", "content": picture}])}
    trace = store_trace(cast.project.pk, [Spanlet("a", attributes=attributes), Spanlet("b", 2, 1, attributes=media)])

    shown = everybody.read(trace, span_id(1), span_id(2))

    assert shown.faults == []
    assert "Hello" in shown.text("span panel")
    assert "see JSON" not in shown.text("span panel")
    assert "Image: image/png, 150 kB" in shown.text("span panel 1")
