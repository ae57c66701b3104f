"""Logfire's own instrumentations, of openai-agents above all. Its spans are named by templates."""

from .base import Dialect

TEMPLATE = "SpanAttributes['logfire.msg_template']"


DIALECT = Dialect(
    name="logfire",
    reference="https://github.com/pydantic/logfire/blob/main/logfire/_internal/integrations/openai_agents.py",
    # How templates begin: "Turn {turn} for agent Triage".
    rules=(
        f"transform(extract({TEMPLATE}, '^[A-Za-z ]+'), ['Turn ', 'OpenAI Agents trace'], ['chain', 'workflow'], NULL)",
    ),
    kinds={
        "logfire.msg_template": {
            "agent run: {name!r}": "agent",
            "function: {name}": "tool",
            "guardrail {name!r} {triggered=}": "guardrail",
        }
    },
    values={
        "entity": ("name",),
        "session_id": (f"(if(startsWith({TEMPLATE}, 'OpenAI Agents trace'), SpanAttributes['group_id'], ''))",),
    },
    words={"found": {"triggered": {"true": "blocked", "false": "allowed"}}},
)
