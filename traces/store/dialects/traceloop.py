"""OpenLLMetry (Traceloop)."""

from .base import Dialect
from .operations import CALLED

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
    values={
        "input_tokens": ("llm.usage.prompt_tokens",),
        "output_tokens": ("llm.usage.completion_tokens",),
        "total_tokens": ("llm.usage.total_tokens",),
        "session_id": (
            "traceloop.association.properties.session_id",
            "traceloop.association.properties.thread_id",
        ),
        "user_id": ("traceloop.association.properties.user_id",),
        "entity": ("traceloop.entity.name",),
    },
    words={"operation": {"llm.request.type": CALLED}},
)
