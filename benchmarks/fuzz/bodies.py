"""OTLP requests nobody would send on purpose: recorded ones, with what is nasty to readers put into them.

The same seed makes the same bodies.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from benchmarks.paths import ROOT
from traces.ingest.otlp.messages import TraceRequest

from .texts import DEEP, FREEZING

PAYLOADS = ROOT / "tests" / "payloads"
KEYS = (
    *("agentops.tags", "tag.tags", "langfuse.trace.tags", "metadata.requester_metadata"),
    *("gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.prompt", "gen_ai.completion", "llm.openai.messages"),
    *("gen_ai.system_instructions", "gen_ai.tool.definitions", "gen_ai.prompt.0.content", "gen_ai.completion.0.role"),
    *("langfuse.observation.input", "langfuse.observation.output", "traceloop.entity.input", "traceloop.entity.output"),
    *("input.value", "output.value", "tool.name", "tool.parameters", "guardrail_name", "guardrail_response"),
    *("guardrail_mode", "masked_entity_count", "gen_ai.request.model", "gen_ai.usage.input_tokens", "http.status_code"),
    *("gen_ai.usage.cost", "gen_ai.cost.total_cost", "agent.name", "session.id", "user.id", "agentops.span.kind"),
    *("error.type", "error.message", "llm.tools.0.tool.json_schema", "llm.input_messages.0.message.content", "note"),
)
NUMBERS = (0, 1, -1, 2**31, 2**53 + 1, 2**62, 2**63 - 1, -(2**63))
TIMES = (0, 1, 2**63 - 1, 2**63, 2**64 - 1)
WORDS = ("", "\x00", "\ufffd", "🤣", "가나다", "é", "‮", "\r\n", "<script>", "{{ x }}", "%s", "=1+1", "'", '"', "\\")
HALVES = (r"\ud83e", r"\udd23\ud83e", r"\\ud83e", r"\ud83e\udd23")
PERSONS = ("system", "user", "assistant", "tool", "", "x" * 400)


@dataclass(frozen=True)
class Body:
    """A request, and the span of it that carries most of what is nasty."""

    content: bytes
    trace_id: str
    span_id: str


class Bodies:
    """Endless bodies. `trace_number` and `start_ns` are given to each, so that several can share a trace."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)
        self._span_number = seed * 2**24 + 1
        self._recorded = [span for path in sorted(PAYLOADS.glob("*.pb")) for span in _spans(path.read_bytes())]
        often = [*[self._nasty_attribute] * 6, *[self._mutated_attribute] * 4, *[self._message] * 2]
        seldom = [self._number, self._time, self._name, self._key, self._many_attributes, self._events, self._links]
        self._changes: list[Callable[[Any], None]] = [*often, *seldom, self._nested_value, self._parent, self._bytes]

    def body(self, trace_number: int, start_ns: int) -> Body:
        request = TraceRequest()
        scope = request.resource_spans.add().scope_spans.add()
        resource = request.resource_spans[0].resource
        resource.attributes.add(key=b"service.name").value.string_value = self._chance.choice([b"fuzz", b"x" * 500])
        for _ in range(self._chance.randint(1, 3)):
            span = scope.spans.add()
            span.CopyFrom(self._chance.choice(self._recorded))
            self._span_number += 1
            span.trace_id, span.span_id = trace_number.to_bytes(16, "big"), self._span_number.to_bytes(8, "big")
            span.start_time_unix_nano = start_ns + self._chance.randrange(10**9)
            span.end_time_unix_nano = span.start_time_unix_nano + self._chance.randrange(10**9)
        for _ in range(self._chance.randint(1, 5)):
            change: Callable[[Any], None] = self._chance.choice(self._changes)
            change(span)
        return Body(request.SerializeToString(), f"{trace_number:032x}", f"{self._span_number:016x}")

    def _text(self) -> str:
        chance = self._chance
        size = chance.choice([10, 100, 1000, 1000, 5000, 40_000, 150_000])
        kind = chance.randrange(6)
        if kind == 0:
            return chance.choice(list(FREEZING.values()))(size)
        if kind == 1:
            return chance.choice(list(DEEP.values()))(chance.choice([1, 50, 101, 260, 990, 5000]))
        if kind == 2:
            quoted = chance.choice(["[%s]", '{"tags": [%s]}', "{'tags': [%s]}", "[{'role': 'user', 'content': %s}]"])
            quote = chance.choice("'\"")
            return quoted % f"{quote}cut {chance.choice(HALVES)}{quote}"
        if kind == 3:
            return chance.choice(WORDS) * chance.choice([1, 3, size])
        value = self._value(3)
        return json.dumps(value) if kind == 4 else repr(value)

    def _value(self, depth: int) -> Any:
        chance = self._chance
        if depth and chance.random() < 0.6:
            inner = [self._value(depth - 1) for _ in range(chance.randint(0, 4))]
            keys = (
                "role",
                "content",
                "parts",
                "type",
                "text",
                "message",
                "tool_calls",
                "function",
                "name",
                "tags",
                "a.b",
            )
            return inner if chance.random() < 0.5 else {chance.choice(keys): each for each in inner}
        scalars = (
            None,
            True,
            chance.choice(NUMBERS),
            chance.random(),
            10**30,
            float("nan"),
            *WORDS,
            "text",
            "image_url",
        )
        return chance.choice(scalars)

    def _nasty_attribute(self, span: Any) -> None:
        self._add(span, self._chance.choice(KEYS), self._text())

    def _mutated_attribute(self, span: Any) -> None:
        """A recorded text, damaged."""
        texts = [pair for pair in span.attributes if pair.value.WhichOneof("value") == "string_value"]
        if not texts:
            return
        pair, chance = self._chance.choice(texts), self._chance
        text = bytearray(pair.value.string_value)
        for _ in range(chance.randint(1, 8)):
            place = chance.randint(0, len(text))
            piece = chance.choice([b"[", b"{", b'"', b"'", b"\\", b",", b":", b"\\ud83e", b"\xff", b"9" * 50, b""])
            text[place : place + chance.randint(0, 3)] = piece * chance.choice([1, 1, 2, 40])
        pair.value.string_value = bytes(text)

    def _message(self, span: Any) -> None:
        chance = self._chance
        message = {"role": chance.choice(PERSONS), "content": self._value(4), "tool_calls": self._value(2)}
        messages = [message] * chance.choice([1, 2, 300])
        text = json.dumps(messages) if chance.random() < 0.5 else repr(messages)
        self._add(span, "gen_ai.operation.name", "chat")
        self._add(span, chance.choice(["gen_ai.input.messages", "llm.openai.messages", "gen_ai.prompt"]), text)

    def _number(self, span: Any) -> None:
        value = span.attributes.add(key=self._chance.choice(KEYS).encode()).value
        if self._chance.random() < 0.5:
            value.int_value = self._chance.choice(NUMBERS)
        else:
            value.double_value = self._chance.choice([0.0, 1e308, 5e-324, float("nan"), float("-inf"), 0.1])

    def _time(self, span: Any) -> None:
        span.end_time_unix_nano = self._chance.choice(TIMES)
        if self._chance.random() < 0.2:
            span.start_time_unix_nano = self._chance.choice(TIMES)

    def _name(self, span: Any) -> None:
        span.name = (self._chance.choice(WORDS) * self._chance.choice([1, 50, 3000])).encode()
        span.status.message = self._text().encode()

    def _key(self, span: Any) -> None:
        chance = self._chance
        prefix = chance.choice(["gen_ai.prompt.", "gen_ai.completion.", "llm.tools.", "llm.input_messages.", ""])
        tail = chance.choice(
            ["a." * 2001 + "b", "9" * 5000, "0.content", "-1.content", "", ".", "x" * 3000, "999999999"]
        )
        self._add(span, prefix + tail, self._text())

    def _many_attributes(self, span: Any) -> None:
        for number in range(self._chance.choice([200, 2000])):
            span.attributes.add(key=f"gen_ai.prompt.{number}.content".encode()).value.string_value = b"[]"

    def _events(self, span: Any) -> None:
        for _ in range(self._chance.choice([1, 300])):
            event = span.events.add(name=b"exception", time_unix_nano=self._chance.choice(TIMES))
            event.attributes.add(key=b"exception.stacktrace").value.string_value = self._text()[:2000].encode()

    def _links(self, span: Any) -> None:
        link = span.links.add(trace_id=b"\xff" * self._chance.choice([0, 1, 16]), span_id=b"\x01" * 8)
        link.attributes.add(key=b"").value.string_value = self._text().encode()

    def _nested_value(self, span: Any) -> None:
        value = span.attributes.add(key=self._chance.choice(KEYS).encode()).value
        for _ in range(self._chance.choice([1, 5, 40])):
            if self._chance.random() < 0.5:
                value = value.array_value.values.add()
            else:
                value = value.kvlist_value.values.add(key=b"a").value
        value.string_value = self._text()[:1000].encode()

    def _parent(self, span: Any) -> None:
        span.parent_span_id = self._chance.choice(
            [b"", span.span_id, b"\0" * 8, (self._span_number - 1).to_bytes(8, "big")]
        )

    def _bytes(self, span: Any) -> None:
        span.attributes.add(key=b"\xff\xfe").value.bytes_value = b"\xff" * 100
        span.attributes.add(key=b"invalid").value.string_value = b"\xed\xa0\xbe \xff\xfe"

    def _add(self, span: Any, key: str, text: str) -> None:
        for pair in span.attributes:
            if pair.key == key.encode():
                pair.value.string_value = text.encode()
                return
        span.attributes.add(key=key.encode()).value.string_value = text.encode()


def _spans(body: bytes) -> list[Any]:
    request = TraceRequest.FromString(body)
    return [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
