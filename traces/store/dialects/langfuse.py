"""The Langfuse SDK, version 3 and later."""

from .base import Dialect

_USAGE = "SpanAttributes['langfuse.observation.usage_details']"
# Parts may stand beside what they are parts of, and add up to the total: so the SDK's callbacks send them. Anthropic's
# own counts stand beside one another, too; all others are those of a provider, whose input holds what was cached.
_PARTS = f"JSONExtract({_USAGE}, 'Map(String, UInt64)')"
_ADD_UP = f"arraySum(mapValues({_PARTS})) = 2 * {_PARTS}['total'] AND {_PARTS}['total'] > 0"
_ANTHROPIC = f"match({_USAGE}, 'cache_(read|creation)_input_tokens') AND mapContains({_PARTS}, 'input_tokens')"
_CACHED = f"arraySum(mapValues(mapExtractKeyLike({_PARTS}, '%cache%')))"
_TOLD = f"({_PARTS}['input'] + {_PARTS}['input_tokens'])"


def _all_of(part: str) -> str:
    return f"arraySum(mapValues(mapExtractKeyLike({_PARTS}, '{part}%')))"


_INPUT = f"""(multiIf({_USAGE} = '', '', {_ADD_UP}, toString({_all_of("input")}),
    {_ANTHROPIC} OR {_CACHED} > {_TOLD},
    toString({_TOLD} + {_CACHED}), ''))"""
_OUTPUT = f"(if({_USAGE} != '' AND {_ADD_UP}, toString({_all_of('output')}), ''))"


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
