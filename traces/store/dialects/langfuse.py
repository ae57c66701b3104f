"""The Langfuse SDK, version 3 and later."""

from .base import Dialect

_USAGE = "SpanAttributes['langfuse.observation.usage_details']"
# Parts may stand beside what they are parts of, and add up to the total: so the SDK's callbacks send them. Anthropic's
# own counts stand beside one another, too; all others are those of a provider, whose input holds what was cached.
_ADD_UP = "arraySum(mapValues(parts)) = 2 * parts['total'] AND parts['total'] > 0"
_ANTHROPIC = f"match({_USAGE}, 'cache_(read|creation)_input_tokens') AND mapContains(parts, 'input_tokens')"
_CACHED = "arraySum(mapValues(mapExtractKeyLike(parts, '%cache%')))"
_TOLD = "(parts['input'] + parts['input_tokens'])"


def _of_parts(expression: str) -> str:
    """SQL: what an expression over `parts`, a map of the counts, gives; so the object stands there once."""
    parts = f"JSONExtract({_USAGE}, 'Map(String, UInt64)')"
    return f"(if({_USAGE} = '', '', arrayMap(parts -> {expression}, [{parts}])[1]))"


def _all_of(part: str) -> str:
    return f"toString(arraySum(mapValues(mapExtractKeyLike(parts, '{part}%'))))"


_INPUT = _of_parts(
    f"multiIf({_ADD_UP}, {_all_of('input')}, {_ANTHROPIC} OR {_CACHED} > {_TOLD}, toString({_TOLD} + {_CACHED}), '')"
)
_OUTPUT = _of_parts(f"if({_ADD_UP}, {_all_of('output')}, '')")


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
        }
    },
    values={
        "model": ("langfuse.observation.model.name",),
        "provider": ("langfuse.observation.metadata.ls_provider",),
        "input_tokens": (_INPUT,),
        "output_tokens": (_OUTPUT,),
        "usage": ("langfuse.observation.usage_details",),
        "cost_details": ("langfuse.observation.cost_details",),
        "session_id": ("langfuse.session.id",),
        "user_id": ("langfuse.user.id",),
        "agent_name": (_observation("agent"),),
        "tool_name": (_observation("tool"),),
        "guardrail_name": (_observation("guardrail"),),
    },
)
