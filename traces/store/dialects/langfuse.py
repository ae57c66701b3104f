"""The Langfuse SDK, version 3 and later."""

from .base import Dialect

_USAGE = "told('usage_parts')"
# Parts may stand beside what they are parts of, and add up to the total: so the SDK's callbacks send them. Anthropic's
# own counts stand beside one another, too; all others are those of a provider, whose input holds what was cached.
_ADD_UP = "arraySum(mapValues(parts)) = 2 * parts['total'] AND parts['total'] > 0"
_ANTHROPIC = f"match({_USAGE}, 'cache_(read|creation)_input_tokens') AND mapContains(parts, 'input_tokens')"
_CACHED = "arraySum(mapValues(mapExtractKeyLike(parts, '%cache%')))"
_APART = f"multiIf({_ADD_UP}, 2, {_ANTHROPIC} OR {_CACHED} > parts['input'] + parts['input_tokens'], 1, 0)"
_PARTS = f"JSONExtract({_USAGE}, 'Map(String, UInt64)')"

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
        "usage_parts": ("langfuse.observation.usage_details",),
        "cost_details": ("langfuse.observation.cost_details",),
        "session_id": ("langfuse.session.id",),
        "user_id": ("langfuse.user.id",),
    },
    tokens_apart=f"if({_USAGE} = '', 0, arrayMap(parts -> {_APART}, [{_PARTS}])[1])",
)
