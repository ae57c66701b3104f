"""Logfire's own instrumentations, of openai-agents above all. Its spans are named by templates."""

from .base import Dialect

TEMPLATE = "SpanAttributes['logfire.msg_template']"


def _named(template: str) -> str:
    """The attribute `name` of spans with that template."""
    return f"(if({TEMPLATE} = '{template}', SpanAttributes['name'], ''))"


_GUARDRAIL = "Guardrail {name!r} {triggered=}"

DIALECT = Dialect(
    name="logfire",
    reference="https://github.com/pydantic/logfire/blob/main/logfire/_internal/integrations/openai_agents.py",
    marks=("logfire.msg_template",),
    # How templates begin: "Turn {turn} for agent Triage".
    rules=(
        f"transform(extract({TEMPLATE}, '^[A-Za-z ]+'), ['Agent run', 'Function', 'Turn ', 'OpenAI Agents trace'], "
        "['agent', 'tool', 'chain', 'workflow'], NULL)",
    ),
    values={
        "agent_name": (_named("Agent run: {name!r}"),),
        "tool_name": (_named("Function: {name}"),),
        "guardrail_name": (_named(_GUARDRAIL),),
        "session_id": (f"(if(startsWith({TEMPLATE}, 'OpenAI Agents trace'), SpanAttributes['group_id'], ''))",),
    },
    guardrail_outcome=f"""if({TEMPLATE} = '{_GUARDRAIL}', transform(
        SpanAttributes['triggered'], ['true', 'false'], ['blocked', 'allowed'], ''), '')""",
)
