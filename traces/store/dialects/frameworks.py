"""Agent frameworks behind OpenInference's instrumentations: what they name in their own words."""

from .base import Dialect
from .openinference import AGENTS, AGENTS_SDK, KIND

# Frameworks name the span of an agent after it and the method that runs it.
_METHODS = (
    "a?(run|call|chat|invoke|stream|step|execute|kickoff)(_stream|_async|_task)?|_execute_core|on_messages(_stream)?|"
    "__call__|forward"
)
# The openai-agents SDK's AGENT without a name is the run as a whole.
_NAMED_AS_SPAN = (
    f"(if(({KIND} = 'AGENT' OR SpanName IN {AGENTS}) AND NOT {AGENTS_SDK}, "
    f"replaceRegexpOne(SpanName, '\\\\.({_METHODS})$', ''), ''))"
)


def _in_metadata(name: str) -> str:
    """A text in the JSON that callers attach to their spans: LangChain's `metadata` of a run."""
    return f"(JSONExtractString(SpanAttributes['metadata'], '{name}'))"


DIALECT = Dialect(
    name="frameworks",
    reference="https://github.com/Arize-ai/openinference/tree/main/python/instrumentation",
    marks=("openinference.span.kind", "metadata"),
    values={
        "agent_name": (
            f"(if({KIND} = 'AGENT', SpanAttributes['graph.node.id'], ''))",
            _in_metadata("lc_agent_name"),
            _NAMED_AS_SPAN,
        ),
        "session_id": (_in_metadata("session_id"), _in_metadata("thread_id")),
        "user_id": (_in_metadata("user_id"),),
    },
)
