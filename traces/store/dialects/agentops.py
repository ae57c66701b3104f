"""The agentops SDK (0.4): decorators and its own instrumentation of the model clients."""

from .base import ANY, Dialect
from .operations import CALLED

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
    values={
        "agent_name": ("agent.name",),
        "tool_name": ("tool.name",),
        "entity": ("operation.name",),
        "guardrail_mode": ("agentops.guardrail.spec",),
    },
    words={
        "operation": {"gen_ai.request.type": CALLED},
        "input": {"agentops.entity.input": {ANY: "yes"}},
        "ended": {
            "agentops.session.end_state": {
                **dict.fromkeys(("error", "fail", "failure"), "Error"),
                "success": "Ok",
                "indeterminate": "Indeterminate",
            }
        },
    },
)
