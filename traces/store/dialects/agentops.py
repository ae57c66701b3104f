"""The agentops SDK (0.4): decorators and its own instrumentation of the model clients."""

from .base import Dialect
from .operations import KINDS

_KIND = "SpanAttributes['agentops.span.kind']"

DIALECT = Dialect(
    name="agentops",
    reference="https://docs.agentops.ai/v2/usage/sdk-reference",
    kinds={
        "agentops.span.kind": {
            "session": "session",
            "workflow": "workflow",
            "workflow.step": "task",
            "agent": "agent",
            "agent.action": "agent",
            "agent.thinking": "agent",
            "agent.decision": "agent",
            "task": "task",
            "operation": "task",
            "llm": "llm",
            "llm.call": "llm",
            "tool": "tool",
            "guardrail": "guardrail",
            "chain": "chain",
            "http": "http",
        },
    },
    weak_kinds={"gen_ai.request.type": KINDS},
    values={
        "call_type": ("gen_ai.request.type",),
        "agent_name": ("agent.name", f"(if({_KIND} = 'agent', SpanAttributes['operation.name'], ''))"),
        "tool_name": ("tool.name", f"(if({_KIND} = 'tool', SpanAttributes['operation.name'], ''))"),
        "guardrail_name": (f"(if({_KIND} = 'guardrail', SpanAttributes['operation.name'], ''))",),
        "guardrail_mode": (f"(if({_KIND} = 'guardrail', SpanAttributes['agentops.guardrail.spec'], ''))",),
    },
)
