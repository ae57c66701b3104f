"""OTLP bodies as an instrumented agent sends them, each one different: made once a second, then only their ids change.

A receiver that stores a request once would drop a body that it has seen, so every body gets fresh trace and span ids
and a number of its own. They are patched into the encoded bytes, for the load generator shares the machine with what
it measures.
"""

import os
import re
import struct
import time
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

SPANS_PER_TRACE = 7
REQUEST_ATTRIBUTE = "bench.request"  # of the resource: 32 hexadecimal digits, different for each body
ATTRIBUTES_PER_SPAN = 12
RENEW_SECONDS = 1.0  # bodies of a second have the same times

# What stands for an id in the template; no other text of a body looks like one.
_TRACE, _SPAN, _REQUEST = b"<trace%09d>", b"<s%05d>", b"<request%023d>"
_PLACEHOLDER = re.compile(rb"(<trace\d{9}>|<s\d{5}>|<request\d{23}>)")

_MODELS = ("gpt-4o-mini", "claude-sonnet-4-5", "gemini-2.5-flash", "mistral-large-latest")
_QUESTION = "Summarise the open contracts of the customer and name the three clauses that need a lawyer's eye. Case "


@dataclass(frozen=True, slots=True)
class Body:
    """One export request: its bytes, and the number under which the store knows it."""

    data: bytes
    request: str


class Bodies:
    """Makes bodies of `spans` spans for the service `service`; `make()` takes about 0.3 µs per span."""

    def __init__(self, spans: int, service: str) -> None:
        self.spans = spans
        self._service = service
        self._renew()
        self._traces = -(-spans // SPANS_PER_TRACE)
        # Ids are drawn in this order: the request's number, traces, spans.
        order = {_REQUEST % 0: 0}
        order |= {_TRACE % number: 1 + number for number in range(self._traces)}
        order |= {_SPAN % number: 1 + self._traces + number for number in range(spans)}
        self._pick = itemgetter(*(order[placeholder] for placeholder in self._parts[1::2]))
        self._span_ids = struct.Struct("8s" * spans)
        self._trace_ids = struct.Struct("16s" * self._traces)

    def make(self) -> Body:
        """A body like no other, of spans that have just ended."""
        if time.monotonic() - self._renewed > RENEW_SECONDS:
            self._renew()
        request = os.urandom(16).hex()
        ids = (
            request.encode(),
            *self._trace_ids.unpack(os.urandom(16 * self._traces)),
            *self._span_ids.unpack(os.urandom(8 * self.spans)),
        )
        self._parts[1::2] = self._pick(ids)
        return Body(b"".join(self._parts), request)

    def _renew(self) -> None:
        self._parts = _PLACEHOLDER.split(_template(self.spans, self._service).SerializeToString())
        self._renewed = time.monotonic()


def _template(spans: int, service: str) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.extend(
        [
            _pair("service.name", service),
            _pair("deployment.environment", "production"),
            _pair("telemetry.sdk.language", "python"),
            _pair(REQUEST_ATTRIBUTE, (_REQUEST % 0).decode()),
        ]
    )
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "opentelemetry.instrumentation.agents"
    scope_spans.scope.version = "1.4.0"
    now = time.time_ns()
    for number in range(spans):
        scope_spans.spans.append(_span(number, now - (spans - number) * 1_000_000))
    return request


def _span(number: int, start: int) -> Span:
    trace, place = divmod(number, SPANS_PER_TRACE)
    span = Span(
        trace_id=_TRACE % trace,
        span_id=_SPAN % number,
        start_time_unix_nano=start,
        end_time_unix_nano=start + 250_000_000 + number * 1_013,
        status=Status(code=Status.STATUS_CODE_OK if number % 20 else Status.STATUS_CODE_ERROR),
    )
    if place:
        span.parent_span_id = _SPAN % (trace * SPANS_PER_TRACE)
    if place == 0:
        span.name, span.kind, attributes = "POST /v1/chat", Span.SPAN_KIND_SERVER, _http(number)
    elif place % 3:
        span.name, span.kind, attributes = "chat completion", Span.SPAN_KIND_CLIENT, _llm(number)
    else:
        span.name, span.kind, attributes = "search_documents", Span.SPAN_KIND_INTERNAL, _tool(number)
    assert len(attributes) == ATTRIBUTES_PER_SPAN
    span.attributes.extend(_pair(key, value) for key, value in attributes.items())
    return span


def _http(number: int) -> dict[str, Any]:
    return {
        "http.request.method": "POST",
        "http.route": "/v1/chat",
        "url.path": "/v1/chat",
        "url.scheme": "https",
        "http.response.status_code": 200,
        "http.request.body.size": 900 + number % 400,
        "http.response.body.size": 2_400 + number % 900,
        "network.protocol.version": "1.1",
        "user_agent.original": "python-httpx/0.28.1",
        "client.address": f"10.0.{number % 8}.{number % 250}",
        "server.port": 443,
        "http.server.request.duration": 0.25 + number % 97 / 1000,
    }


def _llm(number: int) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": _MODELS[number % 4],
        "gen_ai.response.model": _MODELS[number % 4],
        "gen_ai.response.id": f"chatcmpl-{number * 7919 % 1_000_003:07d}",
        "gen_ai.request.temperature": 0.1 + number % 9 / 10,
        "gen_ai.request.max_tokens": 1024,
        "gen_ai.usage.input_tokens": 200 + number * 37 % 1800,
        "gen_ai.usage.output_tokens": 20 + number * 13 % 400,
        "gen_ai.usage.cost": (200 + number * 37 % 1800) * 1.5e-7,
        "session.id": f"session-{number // 50}",
        "gen_ai.prompt.0.content": f"{_QUESTION}{number}.",
    }


def _tool(number: int) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": ("search_documents", "read_file", "send_mail")[number % 3],
        "gen_ai.tool.call.id": f"call_{number * 104729 % 1_000_003:07d}",
        "gen_ai.tool.call.arguments": f'{{"query": "contract {number}", "limit": 20, "fuzzy": true}}',
        "gen_ai.agent.name": "contract-reviewer",
        "db.system": "postgresql",
        "db.rows": number % 120,
        "retry.count": number % 3,
        "cache.hit_ratio": number % 100 / 100,
        "duration.queue": number % 40 / 1000,
        "session.id": f"session-{number // 50}",
        "code.function.name": "agents.tools.documents.search",
    }


def _pair(key: str, value: str | int | float) -> KeyValue:
    pair = KeyValue(key=key)
    if isinstance(value, str):
        pair.value.string_value = value
    elif isinstance(value, int):
        pair.value.int_value = value
    else:
        pair.value.double_value = value
    return pair
