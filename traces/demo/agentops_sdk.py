"""Runs traced by the agentops SDK 0.4.21: session → agent → task → tool, guardrail and OpenAI calls.

As the SDK does: the session's status stays Unset whatever happened, a failed function has two equal exception events,
nothing states a cost but a tool that was given one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from .catalogue import Model, Usage
from .otlp import CLIENT, ERROR, MILLISECOND, OK, SECOND, Scope, Service, Value, event, exception, key_values
from .recorder import Recorder

SERVICE = Service(
    {
        "service.name": "agentops",
        "agentops.project.id": "temporary",
        "imported_libraries": ["agentops", "openai", "pydantic", "httpx"],
        "portal.sample": True,
    }
)
AGENTOPS = Scope("agentops")
OPENAI = Scope("openai", "1.109.1")


@dataclass(frozen=True)
class Chat:
    """One call of the OpenAI client: messages are (role, text)."""

    model: Model
    messages: Sequence[tuple[str, str]]
    answer: str
    usage: Usage
    streaming: bool = False
    error: str = ""  # provider error; then there is no answer


class SdkSession:
    """One traced run while it is being written; `clock` (ns) is where it has come to and only moves forward."""

    def __init__(self, recorder: Recorder, start: int, name: str, request: str, tags: Sequence[str]) -> None:
        self.recorder = recorder
        self.trace = recorder.trace(SERVICE)
        self.clock = start
        attributes: dict[str, Value] = {
            "agentops.span.kind": "session",
            "operation.name": name,
            "agentops.tags": list(tags),
            "agentops.entity.input": _input(request),
        }
        self.root = self.trace.span(f"{name}.session", AGENTOPS, start, start, attributes=attributes)
        self._open: list[Span] = [self.root]

    def end(self, output: str, state: str = "Success") -> int:
        """Close the run; `state` is Success, or Indeterminate when the traced function raised. Returns the end."""
        self._pause()
        self._close(self.root, {"agentops.entity.output": output, "agentops.session.end_state": state})
        return self.clock

    def begin(self, name: str, kind: str, request: str) -> Span:
        """Open a span below the innermost open one; `kind` is agent, task, tool or guardrail."""
        self._pause()
        prefix = "entity" if kind == "agent" else kind
        attributes: dict[str, Value] = {
            "agentops.span.kind": kind,
            "operation.name": name,
            f"agentops.{prefix}.input": _input(request),
        }
        parent = self._open[-1]
        span = self.trace.span(f"{name}.{kind}", AGENTOPS, self.clock, self.clock, parent=parent, attributes=attributes)
        self._open.append(span)
        return span

    def finish(self, attributes: Mapping[str, Value] | None = None) -> None:
        """Close the innermost open span."""
        self._pause()
        self._close(self._open.pop(), attributes or {})

    def fail(self, kind: str, message: str) -> None:
        """Close the innermost open span with an exception."""
        span = self._open[-1]
        self.clock += MILLISECOND
        raised = exception(self.clock, kind, message)
        span.events.extend([raised, raised])
        span.status.code = ERROR
        span.status.message = f"{kind}: {message}"
        self.finish()

    def tool(self, name: str, request: str, result: str, took: int, *, cost: float = 0.0, error: str = "") -> None:
        """A call of a decorated tool; `error` makes it fail."""
        self.begin(name, "tool", request)
        self.clock += took
        self.recorder.count_tool(failed=bool(error))
        if error:
            self.fail("ToolError", error)
        else:
            stated: dict[str, Value] = {"gen_ai.usage.total_cost": cost} if cost else {}
            self.finish({**stated, "agentops.tool.output": result})

    def guardrail(self, name: str, request: str, *, tripped: bool, phase: str = "input") -> None:
        """A run of a decorated guardrail; `tripped`: it stops the run. `phase` is input or output."""
        self.begin(name, "guardrail", request)
        self.clock += self.recorder.milliseconds(4, 30)
        self.recorder.count_guardrail("blocked" if tripped else "allowed")
        verdict = json.dumps({"tripwire_triggered": tripped})
        self.finish({"agentops.guardrail.spec": phase, "agentops.guardrail.output": verdict})

    def chat(self, chat: Chat) -> None:
        """A call of the instrumented OpenAI client."""
        self._pause()
        start = self.clock
        attributes = _request(chat)
        events: list[Span.Event] = []
        if chat.error:
            self.clock += self.recorder.milliseconds(200, 900)
            events = [exception(self.clock, "openai.RateLimitError", chat.error)]
        else:
            self.clock += chat.model.latency(chat.usage, self.recorder.chance)
            attributes |= _response(chat, self.recorder.ids.randbytes(12).hex())
        if chat.streaming:
            first = start + (self.clock - start) // 5
            seconds = (first - start) / SECOND
            attributes["gen_ai.streaming.time_to_first_token"] = seconds
            attributes["gen_ai.streaming.time_to_generate"] = (self.clock - start) / SECOND
            events = [event("first_token_received", first, {"time_elapsed": seconds})]
        self.recorder.count_call(chat.model, None if chat.error else chat.usage)
        self.trace.span(
            "openai.chat.completion",
            OPENAI,
            start,
            self.clock,
            parent=self._open[-1],
            kind=CLIENT,
            status=ERROR if chat.error else OK,
            message=chat.error,
            attributes=attributes,
            events=events,
        )

    def _pause(self) -> None:
        self.clock += self.recorder.milliseconds(0.2, 3)

    def _close(self, span: Span, attributes: Mapping[str, Value]) -> None:
        span.end_time_unix_nano = self.clock
        span.attributes.extend(key_values(attributes))


def _input(request: str) -> str:
    return json.dumps({"args": [request], "kwargs": {}}, ensure_ascii=False)


def _request(chat: Chat) -> dict[str, Value]:
    attributes: dict[str, Value] = {
        "gen_ai.request.type": "chat",
        "gen_ai.system": "OpenAI",
        "gen_ai.request.model": chat.model.name,
        "gen_ai.request.temperature": 0.3,
        "gen_ai.request.streaming": chat.streaming,
    }
    for index, (role, text) in enumerate(chat.messages):
        attributes[f"gen_ai.prompt.{index}.role"] = role
        attributes[f"gen_ai.prompt.{index}.content"] = text
    return attributes


def _response(chat: Chat, response_id: str) -> dict[str, Value]:
    return {
        "gen_ai.response.id": f"chatcmpl-{response_id}",
        "gen_ai.response.model": chat.model.name,
        "gen_ai.usage.total_tokens": chat.usage.total,
        "gen_ai.usage.prompt_tokens": chat.usage.input,
        "gen_ai.usage.completion_tokens": chat.usage.output,
        "gen_ai.completion.0.finish_reason": "stop",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": chat.answer,
    }
