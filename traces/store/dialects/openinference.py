"""OpenInference, the convention of Arize Phoenix and its instrumentations."""

from .base import Dialect

KIND = "SpanAttributes['openinference.span.kind']"
AGENTS_SDK = "ScopeName = 'openinference.instrumentation.openai_agents'"
# LlamaIndex's agents are chains like all else it runs; CrewAI's crew (Traceloop) states `invoke_agent` alone.
AGENTS = ("FunctionAgent.run", "ReActAgent.run", "CodeActAgent.run")
_NAMES = {**dict.fromkeys(AGENTS, "agent"), "AgentWorkflow.run": "workflow", "crewai.workflow": "workflow"}

DIALECT = Dialect(
    name="openinference",
    reference="https://github.com/Arize-ai/openinference/blob/main/spec/semantic_conventions.md",
    rules=(f"transform(SpanName, {list(_NAMES)}, {list(_NAMES.values())}, NULL)",),
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
        "guardrail_name": (f"(if({KIND} = 'GUARDRAIL', SpanName, ''))",),
    },
    # The instrumentation of openai-agents tells a guardrail that tripped on the span above it
    # (`tripped_guardrail` in typed_columns.py): one that answered and is not named there let pass.
    guardrail_outcome=f"if({AGENTS_SDK} AND {KIND} = 'GUARDRAIL' AND StatusCode = 'Ok', 'allowed', '')",
)
