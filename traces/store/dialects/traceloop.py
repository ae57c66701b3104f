"""OpenLLMetry (Traceloop)."""

from .base import Dialect
from .operations import KINDS

_KIND = "SpanAttributes['traceloop.span.kind']"

DIALECT = Dialect(
    name="traceloop",
    reference="https://www.traceloop.com/docs/openllmetry/contributing/semantic-conventions",
    kinds={
        "traceloop.span.kind": {
            "workflow": "workflow",
            "task": "task",
            "agent": "agent",
            "tool": "tool",
            "handoff": "task",
        }
    },
    weak_kinds={"llm.request.type": KINDS},
    values={
        "call_type": ("llm.request.type",),
        "input_tokens": ("llm.usage.prompt_tokens",),
        "output_tokens": ("llm.usage.completion_tokens",),
        "total_tokens": ("llm.usage.total_tokens",),
        "session_id": (
            "traceloop.association.properties.session_id",
            "traceloop.association.properties.thread_id",
        ),
        "user_id": ("traceloop.association.properties.user_id",),
        "agent_name": (f"(if({_KIND} = 'agent', SpanAttributes['traceloop.entity.name'], ''))",),
        "tool_name": (f"(if({_KIND} = 'tool', SpanAttributes['traceloop.entity.name'], ''))",),
    },
)
