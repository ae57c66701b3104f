"""One HTTP request to the LiteLLM proxy 1.106 as spans: the frame into which `litellm` puts what happened.

POST /v1/chat/completions          scope fastapi
├ fastapi.dependencies             scope fastapi
│ └ Received Proxy Server Request  scope litellm, like all below
│   ├ auth, proxy_pre_call, router, self
│   ├ litellm_request              one a try
│   │ ├ raw_gen_ai_request         only with an answer
│   │ └ guardrail                  status Unset, whatever it decided
│   ├ guardrail                    some, a second time, when the request failed
│   └ Failed Proxy Server Request
├ fastapi.endpoint
└ fastapi.serialization            only with an answer that is not a stream
"""

from collections.abc import Iterable, Sequence

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from .litellm_attributes import Failure
from .litellm_guardrails import Run
from .otlp import (
    ERROR,
    INTERNAL,
    MILLISECOND,
    OK,
    SERVER,
    UNSET,
    Attributes,
    Code,
    Scope,
    Service,
    exception,
    key_values,
)
from .recorder import Recorder

SERVICE = Service(
    {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "1.45.2",
        "service.name": "litellm-proxy",
        "deployment.environment": "production",
        "model_id": "litellm-proxy",
        "portal.sample": True,
    }
)
FASTAPI = Scope("fastapi", "0.165.0", "https://opentelemetry.io/schemas/1.44.0")
LITELLM = Scope("litellm")


class ProxyRequest:
    """Times are nanoseconds; a span whose end is not known yet is closed by `answer`, `fail` or `refuse`."""

    def __init__(self, recorder: Recorder, start: int, method: str, route: str, function: str) -> None:
        self.recorder = recorder
        self.trace = recorder.trace(SERVICE)
        self._function = function
        self.root = self.trace.span(
            f"{method} {route}", FASTAPI, start, start, kind=SERVER, attributes=_http(method, route)
        )
        began = start + recorder.milliseconds(0.4, 1)
        self._dependencies = self._step("dependencies", began, began + recorder.milliseconds(2, 5))
        self.parsed = self._dependencies.end_time_unix_nano  # when the endpoint's own work begins

    def receive(self, route: str) -> None:
        """LiteLLM's server span and its check of the key."""
        start = self._dependencies.start_time_unix_nano + MILLISECOND // 3
        attributes = {"url.path": route, "http.route": route}
        self.received = self.trace.span(
            "Received Proxy Server Request",
            LITELLM,
            start,
            start,
            parent=self._dependencies,
            kind=SERVER,
            attributes=attributes,
        )

    def work(self, service: str, call_type: str, start: int, end: int) -> Span:
        """A span of LiteLLM's housekeeping."""
        attributes = {"call_type": call_type, "service": service}
        return self.add(service, start, end, self.received, attributes, OK)

    def add(
        self,
        name: str,
        start: int,
        end: int,
        parent: Span,
        attributes: Attributes,
        status: Code = UNSET,
        events: Sequence[Span.Event] = (),
    ) -> Span:
        return self.trace.span(
            name, LITELLM, start, end, parent=parent, attributes=attributes, status=status, events=events, kind=INTERNAL
        )

    def guardrails(self, runs: Iterable[Run], start: int, parent: Span, team: Attributes) -> None:
        """A span for each run, the first at `start`."""
        for run in runs:
            began = start + run.offset
            self.add("guardrail", began, began + run.duration, parent, run.attributes(team))

    def answer(self, end: int, streamed_from: int | None = None) -> int:
        """Close with HTTP 200; a stream leaves the endpoint when its first token does. Returns the root's end."""
        self.received.end_time_unix_nano = end - MILLISECOND // 2
        self.received.status.code = OK
        prepared = (self.parsed - self.received.start_time_unix_nano) / MILLISECOND
        _extend(self.received, {"litellm.preprocessing.duration_ms": prepared, "http.response.status_code": 200})
        self._step("endpoint", self.parsed, streamed_from or end)
        if streamed_from is None:
            self._step("serialization", end, end + MILLISECOND // 10)
        return self._close(end + MILLISECOND // 5, 200)

    def answer_probe(self, end: int) -> int:
        """Close a request that LiteLLM does not trace on its own."""
        self._step("endpoint", self.parsed, self.parsed + MILLISECOND // 20)
        self._step("serialization", end - MILLISECOND // 5, end - MILLISECOND // 10)
        return self._close(end, 200)

    def fail(self, end: int, failure: Failure, team: Attributes) -> int:
        """Close with the failure's HTTP status. Returns the root's end."""
        self._fail_received(end, failure, team)
        endpoint = self._step("endpoint", self.parsed, end + MILLISECOND)
        endpoint.status.code = ERROR
        _extend(endpoint, {"error.type": "litellm.proxy._types.ProxyException"})
        return self._close(end + 2 * MILLISECOND, failure.status)

    def refuse(self, end: int, failure: Failure, attributes: Attributes) -> int:
        """Close a request whose key is not valid: LiteLLM puts the call that never was on FastAPI's own span."""
        self._fail_received(end, failure, {})
        self._dependencies.end_time_unix_nano = end
        self._dependencies.status.code = ERROR
        self._dependencies.events.append(exception(end, failure.qualified, failure.message))
        _extend(self._dependencies, {**attributes, "error.type": failure.qualified})
        return self._close(end + MILLISECOND, failure.status)

    def _fail_received(self, end: int, failure: Failure, team: Attributes) -> None:
        raised = end - MILLISECOND // 2
        self.received.end_time_unix_nano = raised
        self.received.status.code = ERROR
        self.received.events.append(exception(raised, failure.qualified, failure.message))
        _extend(self.received, failure.attributes())
        failed = {"exception": failure.message, **team}
        self.add("Failed Proxy Server Request", raised, raised + MILLISECOND // 50, self.received, failed, ERROR)

    def _close(self, end: int, status: int) -> int:
        self.root.end_time_unix_nano = end
        _extend(self.root, {"http.response.status_code": status})
        if status >= 500:  # https://opentelemetry.io/docs/specs/semconv/http/http-spans/#status
            self.root.status.code = ERROR
            _extend(self.root, {"error.type": str(status)})
        return end

    def _step(self, name: str, start: int, end: int) -> Span:
        attributes = {"code.function.name": self._function}
        return self.trace.span(f"fastapi.{name}", FASTAPI, start, end, parent=self.root, attributes=attributes)


def _extend(span: Span, attributes: Attributes) -> None:
    span.attributes.extend(key_values(attributes))


def _http(method: str, route: str) -> Attributes:
    return {
        "server.address": "litellm.internal",
        "server.port": 4000,
        "url.path": route,
        "url.scheme": "http",
        "http.request.method": method,
        "network.protocol.version": "1.1",
        "http.route": route,
    }
