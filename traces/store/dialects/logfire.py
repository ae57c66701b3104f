"""Logfire's own instrumentations, of openai-agents above all. Its spans are named by templates."""

from .base import ANY, Dialect

# How templates begin that are not the same everywhere: "Turn {turn} for agent Triage".
_KIND = "multiIf(startsWith(text, 'Turn '), 'chain', startsWith(text, 'OpenAI Agents trace'), 'workflow', '')"

DIALECT = Dialect(
    name="logfire",
    reference="https://github.com/pydantic/logfire/blob/main/logfire/_internal/integrations/openai_agents.py",
    kinds={
        "logfire.msg_template": {
            "agent run: {name!r}": "agent",
            "function: {name}": "tool",
            "guardrail {name!r} {triggered=}": "guardrail",
        }
    },
    values={
        "entity": ("name",),
        "group": ("group_id",),
        "session_id": ("(if(stated_kind = 'workflow', told('group'), ''))",),
    },
    words={
        "found": {"triggered": {"true": "blocked", "false": "allowed"}},
        "error": {"error": {**dict.fromkeys(("false", "null", "none", "{}"), "no"), ANY: "yes"}},
    },
    meanings={"kind": _KIND},
)
