"""OpenInference, the convention of Arize Phoenix and its instrumentations."""

from .base import Dialect

DIALECT = Dialect(
    name="openinference",
    reference="https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md",
    kinds={
        "openinference.span.kind": {
            "llm": "llm",
            "embedding": "embedding",
            "chain": "chain",
            "tool": "tool",
            "agent": "agent",
            "retriever": "retriever",
            "reranker": "retriever",
            "guardrail": "guardrail",
            "evaluator": "task",
        }
    },
    values={
        "model": ("llm.model_name", "embedding.model_name"),
        "provider": ("llm.provider", "llm.system"),
        "input_tokens": ("llm.token_count.prompt",),
        "output_tokens": ("llm.token_count.completion",),
        "cached_input_tokens": ("llm.token_count.prompt_details.cache_read",),
        "reasoning_tokens": ("llm.token_count.completion_details.reasoning",),
        "total_tokens": ("llm.token_count.total",),
        "reported_cost": ("llm.cost.total",),
        "session_id": ("session.id",),
        "user_id": ("user.id",),
        "tool_name": ("tool.name",),
        "agent_name": ("agent.name",),
        # The convention has no attribute for it. LiteLLM, whose spans state this kind too, is asked first.
        "guardrail_name": ("(if(SpanAttributes['openinference.span.kind'] = 'GUARDRAIL', SpanName, ''))",),
    },
)
