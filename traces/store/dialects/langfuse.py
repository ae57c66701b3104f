"""The Langfuse SDK, version 3 and later."""

from .base import Dialect


def _detail(attribute: str, *names: str) -> tuple[str, ...]:
    """Sources in a JSON object of numbers, such as `usage_details` {"input": 10, "output": 20}."""
    return tuple(f"(JSONExtractRaw(SpanAttributes['{attribute}'], '{name}'))" for name in names)


def _observation(kind: str) -> str:
    """The name of an observation of that type, which is the span's."""
    return f"(if(SpanAttributes['langfuse.observation.type'] = '{kind}', SpanName, ''))"


DIALECT = Dialect(
    name="langfuse",
    reference="https://langfuse.com/integrations/native/opentelemetry",
    kinds={
        "langfuse.observation.type": {
            "generation": "llm",
            "embedding": "embedding",
            "agent": "agent",
            "tool": "tool",
            "chain": "chain",
            "retriever": "retriever",
            "evaluator": "task",
            "guardrail": "guardrail",
            "span": "other",
        }
    },
    values={
        "model": ("langfuse.observation.model.name",),
        "input_tokens": _detail("langfuse.observation.usage_details", "input", "prompt_tokens"),
        "output_tokens": _detail("langfuse.observation.usage_details", "output", "completion_tokens"),
        "cached_input_tokens": _detail(
            "langfuse.observation.usage_details", "input_cached_tokens", "cache_read_input_tokens"
        ),
        "reasoning_tokens": _detail("langfuse.observation.usage_details", "output_reasoning_tokens"),
        "total_tokens": _detail("langfuse.observation.usage_details", "total", "total_tokens"),
        "reported_cost": _detail("langfuse.observation.cost_details", "total"),
        "session_id": ("langfuse.session.id",),
        "user_id": ("langfuse.user.id",),
        "agent_name": (_observation("agent"),),
        "tool_name": (_observation("tool"),),
        "guardrail_name": (_observation("guardrail"),),
    },
)
