"""A travel agent traced by OpenTelemetry's own GenAI conventions: invoke_agent → chat → execute_tool → chat.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-agent-spans/
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from .catalogue import Model, Usage
from .otlp import CLIENT, ERROR, Scope, Service, Trace, Value
from .recorder import Recorder
from .scenarios import Tool, ToolUse

SERVICE = Service(
    {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "1.45.2",
        "service.name": "travel-planner",
        "service.version": "0.9.2",
        "deployment.environment.name": "staging",
        "portal.sample": True,
    }
)
AGENT = Scope("travel_planner.agent", "0.9.2")
INSTRUMENTATION = Scope(
    "opentelemetry.instrumentation.genai.openai", "1.3b0", "https://opentelemetry.io/schemas/1.37.0"
)
PROVIDERS = {"openai": "openai", "anthropic": "anthropic", "gemini": "gcp.gemini"}


@dataclass(frozen=True)
class AgentRun:
    agent: str
    conversation: str
    user: str
    model: Model


class AgentTrace:
    """One invocation of the agent while it is being written; `clock` (ns) only moves forward."""

    def __init__(self, recorder: Recorder, start: int, run: AgentRun) -> None:
        self.recorder = recorder
        self.clock = start
        self._run = run
        self._trace: Trace = recorder.trace(SERVICE)
        recorder.tally.sessions.add(run.conversation)
        recorder.tally.users.add(run.user)
        attributes: dict[str, Value] = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": PROVIDERS[run.model.provider],
            "gen_ai.agent.name": run.agent,
            "gen_ai.conversation.id": run.conversation,
            "user.id": run.user,
        }
        self._root = self._trace.span(f"invoke_agent {run.agent}", AGENT, start, start, attributes=attributes)

    def end(self) -> int:
        """Close the invocation and return its end."""
        self._pause()
        self._root.end_time_unix_nano = self.clock
        return self.clock

    def chat(
        self, messages: Sequence[Mapping[str, Any]], answer: str | ToolUse, usage: Usage, tools: Sequence[Tool]
    ) -> None:
        """A model call that ends in text or in the wish to use a tool."""
        self._pause()
        start = self.clock
        self.clock += self._run.model.latency(usage, self.recorder.chance)
        attributes = self._request(messages, tools) | self._response(answer, usage)
        self._model_span(start, attributes)
        self.recorder.count_call(self._run.model, usage)

    def rate_limited(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """A model call that the provider refuses with 429."""
        self._pause()
        start = self.clock
        self.clock += self.recorder.milliseconds(120, 400)
        attributes = self._request(messages, ()) | {"error.type": "openai.RateLimitError"}
        span = self._model_span(start, attributes)
        span.status.code = ERROR
        span.status.message = "Error code: 429 - {'error': {'message': 'Rate limit reached', 'type': 'requests'}}"
        self.recorder.count_call(self._run.model, None)

    def tool(self, use: ToolUse, *, failed: bool) -> None:
        """A run of a tool."""
        self._pause()
        start = self.clock
        self.clock += self.recorder.milliseconds(180, 2_400)
        attributes: dict[str, Value] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": use.tool.name,
            "gen_ai.tool.type": "function",
            "gen_ai.tool.description": use.tool.description,
            "gen_ai.tool.call.arguments": use.arguments,
        }
        attributes |= {"error.type": "ToolError"} if failed else {"gen_ai.tool.call.result": use.result}
        span = self._trace.span(
            f"execute_tool {use.tool.name}", AGENT, start, self.clock, parent=self._root, attributes=attributes
        )
        if failed:
            span.status.code = ERROR
            span.status.message = use.tool.failure
        self.recorder.count_tool(failed=failed)

    def _model_span(self, start: int, attributes: Mapping[str, Value]) -> Span:
        name = f"chat {self._run.model.name}"
        return self._trace.span(
            name, INSTRUMENTATION, start, self.clock, parent=self._root, kind=CLIENT, attributes=attributes
        )

    def _request(self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Tool]) -> dict[str, Value]:
        attributes: dict[str, Value] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": PROVIDERS[self._run.model.provider],
            "gen_ai.request.model": self._run.model.name,
            "gen_ai.request.temperature": 0.4,
            "gen_ai.conversation.id": self._run.conversation,
            "gen_ai.input.messages": _json([_parts(message) for message in messages]),
        }
        if tools:
            definitions = [
                {
                    "type": "function",
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": json.loads(tool.parameters),
                }
                for tool in tools
            ]
            attributes["gen_ai.tool.definitions"] = _json(definitions)
        return attributes

    def _response(self, answer: str | ToolUse, usage: Usage) -> dict[str, Value]:
        if isinstance(answer, ToolUse):
            reason, part = "tool_call", _tool_call(answer)
        else:
            reason, part = "stop", {"type": "text", "content": answer}
        return {
            "gen_ai.response.model": self._run.model.name,
            "gen_ai.response.id": f"resp_{self.recorder.ids.randbytes(12).hex()}",
            "gen_ai.response.finish_reasons": ["tool_calls" if reason == "tool_call" else reason],
            "gen_ai.usage.input_tokens": usage.input,
            "gen_ai.usage.output_tokens": usage.output,
            "gen_ai.usage.cache_read.input_tokens": usage.cached,
            "gen_ai.usage.reasoning.output_tokens": usage.reasoning,
            "gen_ai.output.messages": _json([{"role": "assistant", "parts": [part], "finish_reason": reason}]),
        }

    def _pause(self) -> None:
        self.clock += self.recorder.milliseconds(0.3, 4)


def _parts(message: Mapping[str, Any]) -> dict[str, Any]:
    if "use" in message:
        return {"role": "assistant", "parts": [_tool_call(message["use"])]}
    if message["role"] == "tool":
        part = {"type": "tool_call_response", "id": "call_1", "response": message["content"]}
        return {"role": "tool", "parts": [part]}
    return {"role": message["role"], "parts": [{"type": "text", "content": message["content"]}]}


def _tool_call(use: ToolUse) -> dict[str, Any]:
    arguments = json.loads(use.arguments)
    return {"type": "tool_call", "id": "call_1", "name": use.tool.name, "arguments": arguments}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
